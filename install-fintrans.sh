#!/usr/bin/env bash
# Brings a DC/OS cluster to flowing money with a single command; --help says how. What it does is in
# marathon/installer/, one file a job. It runs with bash 3.2 and needs the commands dcos and curl.
set -euo pipefail

readonly APPS=(generator influx-ingest laundering-detector)
readonly PACKAGES=(kafka influxdb marathon-lb grafana)

# What the options and the environment say.
MODE=install DRY_RUN=0 YES=0 SERVE=0 SERVE_AT='' ARTIFACTS_URL='' ARCH=amd64 TIMEOUT=900
INSTANCES=() ENVIRONMENT=() FETCHES=()
PUBLIC_AGENT=${PUBLIC_AGENT:-} GRAFANA_PASSWORD=${GRAFANA_PASSWORD:-}
KAFKA_VERSION='' INFLUXDB_VERSION=1.4 GRAFANA_VERSION=5.0.1-5.1.0 MARATHON_LB_VERSION=1.15.0

# What is found out on the way.
CLUSTER_URL='' TOKEN='' CURL_TLS=() DCOS_VERSION='' SUMS='' SERVER='' SERVER_PID='' OURS=''
STATUS='' ANSWER='' FLAT='' STATE='' FAILURES=0 FAILED_TASK='' FIRST_ALERT='' GRAFANA_TROUBLE=''
CHANGES=0 DEADLINE=0 WORK=''

main() {
  cd "$(dirname "${BASH_SOURCE[0]}")"
  . marathon/installer/json.sh
  . marathon/installer/messages.sh
  . marathon/installer/options.sh
  . marathon/installer/cluster.sh
  . marathon/installer/preflight.sh
  . marathon/installer/artifacts.sh
  . marathon/installer/packages.sh
  . marathon/installer/apps.sh
  . marathon/installer/waiting.sh
  . marathon/installer/grafana.sh
  . marathon/installer/proof.sh
  . marathon/installer/status.sh
  . marathon/installer/uninstall.sh
  parse_options "$@"
  DEADLINE=$TIMEOUT
  umask 077
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/fintrans.XXXXXX")
  trap cleanup EXIT
  trap 'interrupted' INT TERM HUP
  preflight_commands
  preflight_cluster
  case $MODE in
    status) show_status || exit "$EXIT_FAILURE" ;;
    uninstall) uninstall ;;
    install) install ;;
  esac
}

install() {
  say "cluster $CLUSTER_URL runs DC/OS $DCOS_VERSION; looking at what it needs"
  preflight_packages
  preflight_resources
  preflight_artifacts
  [[ $SERVE == 0 || $DRY_RUN == 1 ]] || start_server
  remember_packages
  apply_apps
  install_packages
  if [[ $DRY_RUN == 1 ]]; then
    provision_grafana
    say "this was a dry run: nothing was changed"
    return 0
  fi
  wait_for_packages
  wait_for_apps
  provision_grafana
  ((CHANGES > 0)) || say "everything was there: nothing was changed"
  prove
  [[ -z $GRAFANA_TROUBLE ]] ||
    fail "$EXIT_GRAFANA" "money flows, but Grafana could not be provisioned ($GRAFANA_TROUBLE): cure that and run this command again."
  keep_serving
}

cleanup() {
  local status=$?
  if [[ -n $SERVER_PID ]]; then kill "$SERVER_PID" 2>/dev/null || true; fi
  rm -rf "$WORK"
  exit "$status"
}

interrupted() {
  echo "install-fintrans.sh: interrupted; run it again to finish." >&2
  exit "$EXIT_INTERRUPTED"
}

main "$@"
