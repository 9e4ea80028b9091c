# shellcheck shell=bash
# Talking to the cluster: through the dcos command, and with curl where only that gives the same answers
# from all of its versions.

# attach URL takes what else is needed to talk to the cluster from the dcos command.
attach() {
  local verify
  CLUSTER_URL=$1
  CLUSTER_URL=${CLUSTER_URL%/}
  TOKEN=$(dcos config show core.dcos_acs_token </dev/null 2>/dev/null) || TOKEN=
  [[ $CLUSTER_URL == https:* ]] || return 0
  verify=$(dcos config show core.ssl_verify </dev/null 2>/dev/null) || verify=
  case $verify in
    '' | true | True) CURL_TLS=() ;;
    false | False) CURL_TLS=(-k) ;;
    *) CURL_TLS=(--cacert "$verify") ;;
  esac
}

# api METHOD PATH [FILE] sends a request, with FILE as its body, and sets STATUS (000 without an answer) and ANSWER,
# a file. The token goes through stdin: an argument would show in the list of processes.
api() {
  local method=$1 path=$2 body=()
  [[ -z ${3:-} ]] || body=(-H 'Content-Type: application/json' --data-binary "@$3")
  ANSWER=$WORK/answer
  : >"$ANSWER"
  STATUS=$(
    if [[ -n $TOKEN ]]; then printf 'header = "Authorization: token=%s"\n' "$TOKEN"; fi |
      curl -K - -sS ${CURL_TLS[@]+"${CURL_TLS[@]}"} -X "$method" ${body[@]+"${body[@]}"} --connect-timeout 10 --max-time 60 \
        -o "$ANSWER" -w '%{http_code}' "$CLUSTER_URL$path" 2>"$WORK/curl-error"
  ) || STATUS=000
}

# get PATH asks until there is an answer that says something: status 0 with FLAT, its flattened form, 1 for 404.
# A cluster that does not answer, or has trouble of its own (5xx), is asked again until the time is up.
get() {
  local path=$1 told=0
  FLAT=$WORK/flat
  while :; do
    api GET "$path"
    case $STATUS in
      200) json_flatten "$ANSWER" >"$FLAT" && return 0 ;;
      404) return 1 ;;
      401) logged_out ;;
      403) fail "$EXIT_REFUSED" "the cluster refuses GET $path (403): this user may not use Marathon; ask an administrator for the permission." ;;
    esac
    # To stderr: what a function prints on stdout may be its result.
    ((told)) || say "GET $path: $(trouble); trying again until the time is up" >&2
    told=1
    ((SECONDS < DEADLINE)) || fail "$EXIT_TIMEOUT" "GET $path: $(trouble), for too long; run this command again when the cluster answers."
    sleep 2
  done
}

logged_out() {
  fail "$EXIT_REFUSED" "the cluster does not take the token any more (401): run 'dcos auth login' and then this command again, which finishes what is missing."
}

# trouble says in a few words what was wrong with the last answer.
trouble() {
  case $STATUS in
    000) printf 'no answer (%s)' "$(tail -n 1 "$WORK/curl-error")" ;;
    200) printf 'an answer that is not JSON' ;;
    *) printf 'status %s %s' "$STATUS" "$(message)" ;;
  esac
}

# message is what the last answer says in words.
message() {
  if json_flatten "$ANSWER" >"$WORK/message" 2>/dev/null; then
    awk -F '\t' '$1 == ".message" || $1 ~ /^\.details\[[0-9]+\]\.(path|errors\[[0-9]+\])$/ { printf "%s%s", sep, $2; sep = " " }' "$WORK/message"
  else
    head -c 200 "$ANSWER" | tr '\n' ' '
  fi
}

# change METHOD PATH [FILE] makes a change: status 0 when it is accepted, 1 for 404. What is not accepted ends the run.
# Trouble of the cluster (5xx, no answer) is tried again; a deployment in progress gives way.
change() {
  local method=$1 path=$2 file=${3:-} tries=0
  while :; do
    api "$method" "$path" "$file"
    case $STATUS in
      200 | 201) return 0 ;;
      404) return 1 ;;
      401) logged_out ;;
      409)
        [[ $path != *force=true ]] ||
          fail "$EXIT_REFUSED" "$method $path was refused although it is forced (409: $(message)): a deployment holds the app; look at 'dcos marathon deployment list', end it, and run this command again."
        say "a deployment of ${path##*/} is still going on: this one takes its place"
        path="$path?force=true"
        continue
        ;;
      000 | 5*)
        ((++tries < 5 && SECONDS < DEADLINE)) ||
          fail "$EXIT_REFUSED" "$method $path failed $tries times, at last: $(trouble). Look after the cluster, then run this command again."
        say "$method $path: $(trouble); trying again"
        sleep 2
        ;;
      *) fail "$EXIT_REFUSED" "the cluster refuses $method $path ($STATUS: $(message))." ;;
    esac
  done
}

# tasks_of APP prints the ids of the app's running tasks, one a line.
tasks_of() {
  get "/service/marathon/v2/apps/$1/tasks" || return 0
  awk -F '\t' '
    $1 ~ /^\.tasks\[[0-9]+\]\.id$/ { id[substr($1, 1, length($1) - 3)] = $2 }
    $1 ~ /^\.tasks\[[0-9]+\]\.state$/ { state[substr($1, 1, length($1) - 6)] = $2 }
    END { for (t in id) if (state[t] == "" || state[t] == "TASK_RUNNING") print id[t] }
  ' "$FLAT" | sort
}

# cli ARGUMENT... runs the dcos command: its output is in $WORK/cli, what it says besides in $WORK/cli-error.
cli() { dcos "$@" </dev/null >"$WORK/cli" 2>"$WORK/cli-error"; }

# cli_says prints the last line that the dcos command wrote, wherever that was.
cli_says() { cat "$WORK/cli" "$WORK/cli-error" | sed '/^[[:space:]]*$/d' | tail -n 1; }
