# shellcheck shell=bash
# The end of an installation: an alert, and how to see more of them.

readonly ALERT='POTENTIAL MONEY LAUNDERING: '

# prove waits for the first alert in the log of a detector's task, and shows where everything is.
prove() {
  wait_for "first alert" alert_is_there
  say "money flows: the first alert was there after $SECONDS s"
  detail "$FIRST_ALERT"
  echo
  echo "Alerts, as they come:"
  local task tasks
  tasks=$(tasks_of fintrans/laundering-detector) || exit $?
  for task in $tasks; do
    echo "  dcos task log --follow $task"
  done
  echo "Grafana:"
  echo "  http://${PUBLIC_AGENT:-<address of your public agent>}:13000 (user admin)"
}

# alert_is_there looks into the detectors' stdout. Some clients put a time before each line, so the alert is looked
# for within the line.
alert_is_there() {
  local task tasks
  STATE="the detector has not seen one yet"
  tasks=$(tasks_of fintrans/laundering-detector) || exit $?
  [[ -n $tasks ]] || STATE="the detector has no running task"
  for task in $tasks; do
    if cli task log --lines=1000 "$task" stdout; then
      FIRST_ALERT=$(sed -n "s/.*\(${ALERT}[0-9]* -> [0-9]* totalling [0-9]* now\).*/\1/p" "$WORK/cli" | head -n 1)
      [[ -z $FIRST_ALERT ]] || return 0
    else
      STATE="the log of task $task cannot be read: $(cli_says)"
    fi
  done
  return 1
}
