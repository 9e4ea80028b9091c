#!/usr/bin/env bash
# Puts the data source and the dashboards of this folder into a Grafana over its API. It needs bash (3.2 will do)
# and curl, nothing else. `provision.sh --help` tells the rest.
set -euo pipefail

readonly NAME="fintrans" # of the data source, and its uid where it is created here

# Exit statuses; --help explains them.
readonly FAILED=1 USAGE=2 UNREACHABLE=3 REFUSED=4 TOO_OLD=5 READ_ONLY=6 UNEXPECTED=7

grafana="" grafana_user="admin" grafana_password="" influx="" influx_database="fintrans" influx_user="" influx_password=""
wait_seconds=120 dry_run=0
folder="" work="" version="" kind="" source_uid=""
status="" body="" # of the last answer

usage() {
  cat <<'TEXT'
usage: provision.sh --grafana URL --influx URL [options]

Creates or updates the data source "fintrans" and the dashboards Fintrans, Transfers behind an alert and
Fintrans pipeline, of the kind that the Grafana wants (5.0 and later). Running it again is safe: what is there is
brought up to date, nothing else is touched.

  --grafana URL                  Grafana as seen from here, e.g. http://localhost:3000
  --grafana-user NAME            an administrator of Grafana (admin)
  --grafana-password-file FILE   file with its password; without it the variable GRAFANA_PASSWORD (admin)
  --influx URL                   InfluxDB as seen from Grafana, e.g. http://localhost:8086
  --influx-database NAME         (fintrans)
  --influx-user NAME             a user of InfluxDB that can only read, where it has users
  --influx-password-file FILE    file with its password; without it the variable INFLUX_PASSWORD
  --wait SECONDS                 how long to wait for Grafana (120)
  --dry-run                      ask Grafana and say what would be done, but change nothing
  --help                         print this text

Passwords never are in the process list. A certificate authority of your own: set CURL_CA_BUNDLE.

exit status: 0 done, 1 failed, 2 the command line is not right, 3 Grafana could not be reached in time, 4 Grafana
refuses user or password, 5 Grafana is older than 5.0, 6 the data source is read-only because a file provisions it,
7 the answer is not one of Grafana's
TEXT
}

main() {
  parse "$@"
  command -v curl >/dev/null || fail "$FAILED" "curl is missing: install it"
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  umask 077
  work=$(mktemp -d "${TMPDIR:-/tmp}/fintrans-grafana.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  await_grafana
  choose_kind
  provision_source
  local file
  for file in "$folder/dashboards/$kind"/*.json; do
    [[ -f $file ]] || fail "$FAILED" "$folder/dashboards/$kind has no dashboards: run provision.sh from a complete copy of the folder grafana"
    provision_dashboard "$file"
  done
  echo "open $grafana/d/fintrans/fintrans"
}

fail() { # fail STATUS SENTENCE
  echo "provision.sh: $2" >&2
  exit "$1"
}

parse() {
  local file
  grafana_password=${GRAFANA_PASSWORD:-admin} influx_password=${INFLUX_PASSWORD:-}
  while (($# > 0)); do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --dry-run)
        dry_run=1
        shift
        continue
        ;;
      --grafana | --grafana-user | --grafana-password-file | --influx | --influx-database | --influx-user | --influx-password-file | --wait)
        (($# > 1)) || fail "$USAGE" "$1 needs a value (--help lists the options)"
        ;;
      *) fail "$USAGE" "'$1' is not an option (--help lists them)" ;;
    esac
    case $1 in
      --grafana) grafana=$2 ;;
      --grafana-user) grafana_user=$2 ;;
      --influx) influx=$2 ;;
      --influx-database) influx_database=$2 ;;
      --influx-user) influx_user=$2 ;;
      --wait) wait_seconds=$2 ;;
      *-password-file)
        file=$2
        [[ -r $file && ! -d $file ]] || fail "$USAGE" "$1: the file '$file' cannot be read"
        if [[ $1 == --grafana-password-file ]]; then
          IFS= read -r grafana_password <"$file" || [[ -n $grafana_password ]] || fail "$USAGE" "$1: the file '$file' is empty"
        else
          IFS= read -r influx_password <"$file" || [[ -n $influx_password ]] || fail "$USAGE" "$1: the file '$file' is empty"
        fi
        ;;
    esac
    shift 2
  done
  check_url --grafana "$grafana"
  check_url --influx "$influx"
  grafana=${grafana%/} influx=${influx%/}
  [[ $wait_seconds =~ ^[0-9]{1,6}$ ]] || fail "$USAGE" "--wait '$wait_seconds' is not a number of seconds"
  wait_seconds=$((10#$wait_seconds))
  [[ -n $grafana_user && $grafana_user != *:* ]] || fail "$USAGE" "--grafana-user '$grafana_user' is not the name of a user"
  [[ -n $influx_database ]] || fail "$USAGE" "--influx-database is empty"
  [[ -z $influx_password || -n $influx_user ]] || fail "$USAGE" "there is a password of InfluxDB but no --influx-user"
}

check_url() { # check_url OPTION URL
  local pattern='^https?://[^/@[:space:]]+(/[^@[:space:]]*)?$'
  [[ -n $2 ]] || fail "$USAGE" "$1 is missing: an address such as http://localhost:3000 (--help lists the options)"
  [[ $2 != *@* ]] || fail "$USAGE" "$1: user and password do not belong into the address, where others can see them"
  [[ $2 != *[?#]* ]] || fail "$USAGE" "$1: a query or a fragment does not belong into the address"
  [[ $2 =~ $pattern ]] || fail "$USAGE" "$1 '$2' is not an address such as http://localhost:3000"
}

# ask METHOD PATH [FILE] sends a request and sets status and body; the request's own body is in the file. It fails
# where there is no answer, with curl's exit status and the reason in body.
ask() {
  local code=0 seconds=15 user=$grafana_user:$grafana_password
  user=${user//\\/\\\\}
  user=${user//\"/\\\"}
  [[ $2 != /api/health ]] || seconds=10
  set -- "$1" "$2" "${3:-}" # $3 is there also without a file
  status=$(
    {
      # The user goes through the pipe: command lines are there for everyone to see.
      [[ $2 == /api/health ]] || printf 'user = "%s"\n' "$user"
      [[ -z $3 ]] || printf 'header = "Content-Type: application/json"\ndata-binary = "@%s"\n' "$3"
    } | curl -q --silent --show-error --config - --request "$1" --connect-timeout 5 --max-time "$seconds" \
      --header 'Accept: application/json' --output "$work/answer" --write-out '%{http_code}' "$grafana$2" 2>"$work/error"
  ) || code=$?
  body=""
  if ((code != 0)); then
    IFS= read -r body <"$work/error" || true
    rm -f "$work/answer"
    return "$code"
  fi
  [[ ! -f $work/answer ]] || body=$(<"$work/answer")
  rm -f "$work/answer"
}

# api is ask that ends the script where the answer is none that its caller can deal with: those are 200, 404, 409
# and 412 with JSON.
api() {
  local code=0
  ask "$@" || code=$?
  case $code in
    0) ;;
    28) fail "$UNREACHABLE" "Grafana at $grafana does not answer $1 $2: ${body#curl: }" ;;
    *) fail "$UNREACHABLE" "Grafana at $grafana cannot be reached: ${body#curl: }" ;;
  esac
  case $status in
    401) fail "$REFUSED" "Grafana at $grafana refuses user '$grafana_user' or the password ($(message)): --grafana-user, --grafana-password-file" ;;
    403)
      [[ $body != *[Rr]ead-only* ]] || read_only
      fail "$REFUSED" "Grafana at $grafana does not let user '$grafana_user' do this ($(message)): it has to be an administrator"
      ;;
    200 | 404 | 409 | 412)
      is_json || fail "$UNEXPECTED" "$grafana$2 answers something else than JSON (status $status): is that Grafana's address?"
      ;;
    3??) fail "$UNEXPECTED" "$grafana$2 redirects elsewhere (status $status): give the address that it leads to" ;;
    *) fail "$FAILED" "Grafana at $grafana answers $1 $2 with status $status: $(message)" ;;
  esac
}

is_json() {
  local pattern='^[[:space:]]*[{[]'
  [[ $body =~ $pattern ]]
}

# message is what Grafana says of an error, or the beginning of the answer.
message() {
  if found_string message; then
    echo "$found"
  else
    echo "${body:0:120}"
  fi
}

# found_string and found_number look for the first such member of the answer and set found.
found_string() {
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\""
  found=""
  [[ $body =~ $pattern ]] || return 1
  found=${BASH_REMATCH[1]}
}

found_number() {
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*(-?[0-9]+)"
  found=""
  [[ $body =~ $pattern ]] || return 1
  found=${BASH_REMATCH[1]}
}

# has_true NAME: whether the answer has such a member that is true.
has_true() {
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*true"
  [[ $body =~ $pattern ]]
}

# json prints a string of JSON.
json() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  text=${text//$'\n'/\\n}
  printf '"%s"' "$text"
}

# await_grafana waits until /api/health is well. A refusal and an answer that is not Grafana's end it at once: time
# does not cure them.
await_grafana() {
  local deadline=$((SECONDS + wait_seconds)) code reason said=0
  while :; do
    code=0
    ask GET /api/health || code=$?
    if ((code != 0)); then
      reason="cannot be reached: ${body#curl: }"
      [[ $code != 28 ]] || reason="does not answer: ${body#curl: }"
    else
      case $status in
        200)
          is_json || fail "$UNEXPECTED" "$grafana/api/health answers something else than JSON: is that Grafana's address?"
          return 0
          ;;
        401 | 403) fail "$REFUSED" "$grafana refuses access (status $status): is that Grafana's address?" ;;
        5??) reason="is not ready: /api/health answers with status $status" ;;
        *) fail "$UNEXPECTED" "$grafana/api/health answers with status $status: is that Grafana's address, and Grafana 5.0 or later?" ;;
      esac
    fi
    ((SECONDS < deadline)) || fail "$UNREACHABLE" "Grafana at $grafana $reason (waited $wait_seconds s)"
    ((said)) || echo "waiting up to $wait_seconds s for Grafana at $grafana"
    said=1
    sleep 1
  done
}

# choose_kind takes the folder of dashboards that the version wants.
choose_kind() {
  local pattern='^([0-9]+)\.([0-9]+)' major minor
  found_string version || fail "$UNEXPECTED" "$grafana/api/health does not tell the version: is that Grafana's address?"
  version=$found
  [[ $version =~ $pattern ]] || fail "$UNEXPECTED" "$grafana/api/health tells the version '$version': is that Grafana's address?"
  major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
  ((major >= 5)) || fail "$TOO_OLD" "Grafana at $grafana is version $version: the dashboards need 5.0 or later"
  kind=current
  ((major > 8 || major == 8 && minor >= 3)) || kind=5
  echo "Grafana $version at $grafana: the dashboards in dashboards/$kind"
}

read_only() {
  fail "$READ_ONLY" "the data source '$NAME' of Grafana at $grafana is read-only: a file provisions it, change it there"
}

# source_body [UID] [ISDEFAULT] writes the data source to $work/body.
source_body() {
  local secrets=""
  {
    printf '{"name":"%s","type":"influxdb","access":"proxy","url":%s,' "$NAME" "$(json "$influx")"
    printf '"database":%s,"user":%s,"isDefault":%s,"basicAuth":false,' "$(json "$influx_database")" "$(json "$influx_user")" "${2:-false}"
    [[ -z ${1:-} ]] || printf '"uid":%s,' "$(json "$1")"
    printf '"jsonData":{"httpMode":"GET","dbName":%s}' "$(json "$influx_database")"
    if [[ -n $influx_password ]]; then
      secrets=$(json "$influx_password")
      printf ',"secureJsonData":{"password":%s}' "$secrets"
      # Grafana before 6.2 knows no other place.
      [[ $kind != 5 ]] || printf ',"password":%s' "$secrets"
    fi
    printf '}'
  } >"$work/body"
}

provision_source() {
  api GET "/api/datasources/name/$NAME"
  if [[ $status == 404 ]]; then
    create_source || update_source # another provisioning may just have created it
  else
    update_source
  fi
}

# create_source fails where somebody else has just created it.
create_source() {
  source_uid=$NAME
  if ((dry_run)); then
    echo "would create the data source '$NAME' for InfluxDB at $influx"
    return 0
  fi
  source_body "$([[ $kind == 5 ]] || echo "$NAME")"
  api POST /api/datasources "$work/body"
  if [[ $status == 409 ]]; then
    api GET "/api/datasources/name/$NAME"
    [[ $status == 200 ]] || fail "$FAILED" "Grafana at $grafana has another data source with the uid '$NAME': give that one another uid"
    return 1
  fi
  [[ $status == 200 ]] || fail "$FAILED" "Grafana at $grafana does not create the data source, status $status: $(message)"
  ! found_string uid || source_uid=$found
  echo "data source '$NAME': created, InfluxDB at $influx"
}

# update_source updates the data source of the last answer: by its uid, which Grafana 9 and later want, or by its id.
update_source() {
  local id default=false
  found_number id || fail "$UNEXPECTED" "$grafana/api/datasources/name/$NAME answers without an id: is that Grafana's address?"
  id=$found
  found_string type || true
  [[ $found == influxdb ]] || fail "$FAILED" "Grafana at $grafana has a data source '$NAME' of type '$found': give that one another name"
  source_uid=""
  ! found_string uid || source_uid=$found
  ! has_true readOnly || read_only
  ! has_true isDefault || default=true
  if ((dry_run)); then
    echo "would update the data source '$NAME' for InfluxDB at $influx"
    return 0
  fi
  source_body "$source_uid" "$default"
  status=404
  [[ -z $source_uid ]] || api PUT "/api/datasources/uid/$source_uid" "$work/body"
  [[ $status != 404 ]] || api PUT "/api/datasources/$id" "$work/body"
  [[ $status == 200 ]] || fail "$FAILED" "Grafana at $grafana does not update the data source, status $status: $(message)"
  echo "data source '$NAME': updated, InfluxDB at $influx"
}

# provision_dashboard FILE creates the dashboard or replaces it. It never asks Grafana to overwrite: that would
# also replace another dashboard with the same title. It names the version that it replaces instead.
provision_dashboard() {
  local file=$1 uid title try=0 current folder_id folder_uid result
  body=$(<"$file")
  found_string uid || true
  uid=$found
  found_string title || true
  title=$found
  [[ -n $uid && -n $title ]] || fail "$FAILED" "$file is not a dashboard: get a complete copy of the folder grafana"
  while :; do
    api GET "/api/dashboards/uid/$uid"
    current="" folder_id="" folder_uid="" result=created
    if [[ $status == 200 ]]; then
      result=updated
      ! has_true provisioned || fail "$FAILED" "dashboard '$title' of Grafana at $grafana is provisioned by a file: change it there"
      found_number version || fail "$UNEXPECTED" "$grafana/api/dashboards/uid/$uid answers without a version: is that Grafana's address?"
      current=$found
      ! found_number folderId || folder_id=$found
      ! found_string folderUid || folder_uid=$found
    fi
    if ((dry_run)); then
      echo "would have dashboard '$title' $result"
      return 0
    fi
    dashboard_body "$file" "$current" "$folder_id" "$folder_uid"
    api POST /api/dashboards/db "$work/body"
    [[ $status != 200 ]] || break
    if [[ $status == 412 && $body == *name-exists* ]]; then
      fail "$FAILED" "Grafana at $grafana has a dashboard '$title' of its own: give that one another title"
    elif [[ $status != 412 ]] || ((++try == 5)); then
      fail "$FAILED" "Grafana at $grafana does not save dashboard '$title', status $status: $(message)"
    fi # somebody saved it in between: replace that version
  done
  echo "dashboard '$title': $result"
}

# dashboard_body FILE VERSION FOLDERID FOLDERUID writes the request to $work/body: the file, with the version that it
# replaces, in the folder where it is, and with the uid that the data source has here.
dashboard_body() {
  local line first=1 source=0
  {
    printf '{"overwrite":false,"message":"provision.sh",'
    [[ -z $3 ]] || printf '"folderId":%s,' "$3"
    [[ -z $4 ]] || printf '"folderUid":%s,' "$(json "$4")"
    printf '"dashboard":'
    while IFS= read -r line; do
      ((!source)) || line=${line//\"$NAME\"/$(json "$source_uid")}
      source=0
      [[ $line != *'"type": "influxdb"'* ]] || source=1
      printf '%s\n' "$line"
      ((!first)) || [[ -z $2 ]] || printf '"version": %s,\n' "$2"
      first=0
    done <"$1"
    printf '}'
  } >"$work/body"
}

main "$@"
