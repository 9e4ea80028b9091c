# shellcheck shell=bash
# Waiting for states, with a limit that ends in a diagnosis.

# How often the tasks of an app may fail in a row before waiting for it makes no sense.
readonly MANY_FAILURES=5

# wait_for WHAT COMMAND [ID] calls the command until it is true. It sets STATE, which is said whenever it changes.
wait_for() {
  local what=$1 check=$2 id=${3:-} said='' last=$SECONDS
  FAILURES=0 FAILED_TASK=
  until "$check" ${id:+"$id"}; do
    if [[ $STATE != "$said" ]] || ((SECONDS - last >= 30)); then
      say "$what: $STATE"
      said=$STATE last=$SECONDS
    fi
    if ((FAILURES >= MANY_FAILURES)); then give_up "$what" "$id" "keeps failing"; fi
    ((SECONDS < DEADLINE)) || give_up "$what" "$id" "is not ready after $TIMEOUT s"
    sleep 1
  done
  [[ -z $said ]] || say "$what: ready"
}

# app_is_ready ID reports whether all instances of the app run and are healthy and nothing is being deployed. It sets
# STATE, and counts the tasks that have failed since the wait began.
app_is_ready() {
  local wanted running healthy staged task
  if ! app_exists "$1"; then
    STATE="not known to Marathon"
    return 1
  fi
  wanted=$(json_number "$FLAT" .app.instances)
  running=$(json_number "$FLAT" .app.tasksRunning)
  healthy=$(json_number "$FLAT" .app.tasksHealthy)
  staged=$(json_number "$FLAT" .app.tasksStaged)
  STATE="$running of $(plural "$wanted" task) running, $healthy healthy"
  ((staged == 0)) || STATE="$STATE, $staged being started"
  task=$(json_get "$FLAT" .app.lastTaskFailure.taskId)
  if [[ $FAILED_TASK == '' ]]; then
    FAILED_TASK=${task:-none} # from before this wait
  elif [[ -n $task && $task != "$FAILED_TASK" ]]; then
    FAILED_TASK=$task FAILURES=$((FAILURES + 1))
    STATE="$STATE; the last task failed: $(json_get "$FLAT" .app.lastTaskFailure.message)"
  fi
  ((running >= wanted)) || return 1
  if grep -q '^\.app\.healthChecks\[0\]' "$FLAT"; then ((healthy >= wanted)) || return 1; fi
  if grep -q '^\.app\.deployments\[0\]\.id' "$FLAT"; then
    STATE="$STATE; the deployment is being finished"
    return 1
  fi
  return 0
}

# give_up WHAT ID WHY ends the run with all that is known about the app.
give_up() {
  local what=$1 id=$2 why=$3
  say "$what: $STATE"
  {
    echo "What is known about $what:"
    [[ -z $id ]] || diagnose "$id"
  } >&2
  fail "$EXIT_TIMEOUT" "$what $why ($STATE): see above for what it lacks; run this command again when that is cured."
}

# diagnose ID tells the app's last failure, its tasks, what they wrote last and what Marathon lacks to start more.
diagnose() {
  local id=$1 task
  if app_exists "$id" && [[ -n $(json_get "$FLAT" .app.lastTaskFailure.taskId) ]]; then
    task=$(json_get "$FLAT" .app.lastTaskFailure.taskId)
    echo "  last failure: task $task, $(json_get "$FLAT" .app.lastTaskFailure.state): $(json_get "$FLAT" .app.lastTaskFailure.message)"
    show_log "$task" --completed
  fi
  api GET "/service/marathon/v2/apps/$id/tasks"
  if [[ $STATUS == 200 ]] && json_flatten "$ANSWER" >"$FLAT"; then
    awk -F '\t' '
      $1 ~ /^\.tasks\[[0-9]+\]\.id$/ { print "  task " $2 }
      $1 ~ /\.state$/ { print "    state: " $2 }
      $1 ~ /lastFailureCause$/ && $2 != "" && $2 != "null" { print "    health check: " $2 }
    ' "$FLAT"
    awk -F '\t' '$1 ~ /^\.tasks\[[0-9]+\]\.id$/ { print $2 }' "$FLAT" >"$WORK/diagnosed"
    while read -r task; do show_log "$task"; done <"$WORK/diagnosed"
  fi
  show_queue "$id"
}

# show_log TASK [OPTION] shows the end of the task's log.
show_log() {
  local task=$1
  shift
  if cli task log "$@" --lines=10 "$task" stderr && [[ -s $WORK/cli ]]; then
    echo "  the last lines of its log (dcos task log${*:+ $*} $task stderr):"
    indent "$WORK/cli"
  fi
}

# show_queue ID tells why Marathon does not start what is missing.
show_queue() {
  api GET /service/marathon/v2/queue
  if [[ $STATUS != 200 ]] || ! json_flatten "$ANSWER" >"$FLAT"; then return 0; fi
  ID="/$1" awk -F '\t' '
    match($1, /^\.queue\[[0-9]+\]/) { entry = substr($1, 1, RLENGTH); field = substr($1, RLENGTH + 1) }
    field == ".app.id" && $2 == ENVIRON["ID"] { ours = entry }
    field == ".delay.timeLeftSeconds" { left[entry] = $2 }
    field ~ /^\.processedOffersSummary\.rejectSummary.*\.reason$/ { reason = $2 }
    field ~ /^\.processedOffersSummary\.rejectSummary.*\.declined$/ && $2 > 0 && index(why[entry], reason) == 0 { why[entry] = why[entry] " " reason }
    END {
      if (ours == "") exit
      if (left[ours] > 0) print "  Marathon waits " left[ours] " s before it starts the next task"
      if (why[ours] != "") print "  Marathon gets offers that do not fit:" why[ours]
    }
  ' "$FLAT"
}
