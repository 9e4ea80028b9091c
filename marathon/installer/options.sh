# shellcheck shell=bash
# The command line.

usage() {
  cat <<'EOT'
Usage: ./install-fintrans.sh [OPTION...]

Brings the DC/OS cluster that the dcos command is attached to (1.9 to 2.x) to flowing money: Kafka, InfluxDB,
marathon-lb and Grafana from its catalog, the three apps of fintrans, and dashboards in Grafana. It needs the
commands dcos and curl. Run it again at any time: it repairs, upgrades the apps, and finishes what was interrupted.

What to do (installing, where none is given)
  --dry-run              look at everything, print each change, make none
  --status               print one table: part, wanted, actual, healthy; exit status 1 if a part is not
  --uninstall            remove the apps, and the packages that this command has installed; asks first
  --yes                  do not ask
  --help                 print this text

Where the programs come from
  --artifacts-url URL    folder with what `make release` has built, as the agents of the cluster can reach it
                         (default: the releases of the repository that this checkout came from)
  --serve[=HOST:PORT]    serve ./dist from this machine, for trials: stays in the foreground, and tasks that restart
                         need it (default: the address that the cluster is reached from, port 8000)
  --arch ARCH            architecture of the agents: amd64 (default) or arm64

How it is to be
  --instances APP=N      instances of generator, influx-ingest or laundering-detector (default: as many as there are,
                         else 1); may be given for each
  --env APP:NAME=VALUE   a setting of an app; may be given often. Whoever can read Marathon's API can read it: give
                         passwords as files
  --fetch APP:URI        a file for the app's sandbox, e.g. one with a password; may be given often
  --public-agent ADDRESS where the public agent is reached from here (default: what the cluster says; the variable
                         PUBLIC_AGENT does the same)
  --grafana-password-file FILE
                         password of Grafana's user admin; sets it where Grafana is installed by this run (default:
                         the variable GRAFANA_PASSWORD, else admin)
  --kafka-version V, --influxdb-version V, --grafana-version V, --marathon-lb-version V
                         versions of the packages (default: those that fintrans is made for)
  --timeout SECONDS      how long to wait for everything together (default: 900)

Exit statuses
    0  done; money flows, and an alert was seen
    1  another failure; with --status: something is missing or not healthy
    2  the command line is not valid
    3  a precondition is not met; nothing was changed
    4  something was not there in time; the diagnosis says what it lacks
    5  the cluster refused a request
    6  money flows, but Grafana could not be provisioned
  130  interrupted; run it again to finish
EOT
}

# app_known NAME reports whether there is such an app.
app_known() {
  local app
  for app in "${APPS[@]}"; do [[ $app == "$1" ]] && return 0; done
  return 1
}

# usage_error SENTENCE
usage_error() { fail "$EXIT_USAGE" "$*; --help lists the options."; }

# parse_options ARGUMENT... sets what the options say.
parse_options() {
  local option value
  while (($# > 0)); do
    option=$1
    shift
    value=
    case $option in
      --help | -h) usage; exit 0 ;;
      --dry-run) DRY_RUN=1; continue ;;
      --status | --uninstall)
        [[ $MODE == install || $MODE == "${option#--}" ]] || usage_error "--$MODE and $option exclude each other"
        MODE=${option#--}
        continue
        ;;
      --yes) YES=1; continue ;;
      --serve) SERVE=1; continue ;;
      --serve=*) SERVE=1; SERVE_AT=${option#--serve=}; continue ;;
      --*=*) value=${option#*=}; option=${option%%=*} ;;
      --artifacts-url | --arch | --instances | --env | --fetch | --public-agent | --grafana-password-file | --kafka-version | \
        --influxdb-version | --grafana-version | --marathon-lb-version | --timeout)
        (($# > 0)) || usage_error "$option needs a value"
        value=$1
        shift
        ;;
      *) usage_error "there is no option $option" ;;
    esac
    [[ -n $value ]] || usage_error "$option needs a value"
    set_option "$option" "$value"
  done
  [[ $SERVE == 0 || -z $ARTIFACTS_URL ]] || usage_error "--serve and --artifacts-url exclude each other"
}

# set_option OPTION VALUE
set_option() {
  local option=$1 value=$2
  case $option in
    --artifacts-url)
      [[ $value =~ ^https?://[^/] ]] || usage_error "--artifacts-url '$value' is not an http or https URL"
      ARTIFACTS_URL=${value%/}
      ;;
    --arch)
      [[ $value == amd64 || $value == arm64 ]] || usage_error "--arch '$value' is neither amd64 nor arm64"
      ARCH=$value
      ;;
    --instances)
      { [[ $value =~ ^[a-z-]+=[0-9]+$ ]] && app_known "${value%%=*}"; } || usage_error "--instances '$value' is not APP=NUMBER with one of ${APPS[*]}"
      INSTANCES+=("$value")
      ;;
    --env)
      { [[ $value =~ ^[a-z-]+:[A-Z][A-Z0-9_]*=.*$ ]] && app_known "${value%%:*}"; } || usage_error "--env '$value' is not APP:NAME=VALUE with one of ${APPS[*]}"
      [[ ! ${value%%=*} =~ PASSWORD$ ]] ||
        usage_error "--env ${value%%=*} would show the password to whoever can read Marathon's API: put it into a file, give that with --fetch, and set ${value%%=*}_FILE"
      ENVIRONMENT+=("$value")
      ;;
    --fetch)
      { [[ $value =~ ^[a-z-]+:(https?|file|hdfs|ftp):// ]] && app_known "${value%%:*}"; } || usage_error "--fetch '$value' is not APP:URI with one of ${APPS[*]}"
      FETCHES+=("$value")
      ;;
    --public-agent) PUBLIC_AGENT=$value ;;
    --grafana-password-file)
      [[ -r $value ]] || usage_error "--grafana-password-file '$value' cannot be read"
      GRAFANA_PASSWORD=$(head -n 1 "$value")
      [[ -n $GRAFANA_PASSWORD ]] || usage_error "--grafana-password-file '$value' is empty"
      ;;
    --kafka-version) KAFKA_VERSION=$value ;;
    --influxdb-version) INFLUXDB_VERSION=$value ;;
    --grafana-version) GRAFANA_VERSION=$value ;;
    --marathon-lb-version) MARATHON_LB_VERSION=$value ;;
    --timeout)
      [[ $value =~ ^[1-9][0-9]*$ ]] || usage_error "--timeout '$value' is not a number of seconds"
      TIMEOUT=$value
      ;;
    *) usage_error "there is no option $option" ;;
  esac
}
