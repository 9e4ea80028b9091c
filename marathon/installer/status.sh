# shellcheck shell=bash
# What is there.

# show_status prints a table and returns 1 if a part is missing or not healthy.
show_status() {
  local package app complete=0
  printf '%-32s %-16s %-16s %s\n' PART WANTED ACTUAL HEALTHY
  for package in "${PACKAGES[@]}"; do
    show_package "$package" || complete=1
  done
  if broker_is_up; then show_row "Kafka's broker" "running" "running" yes; else show_row "Kafka's broker" "running" "missing" no; complete=1; fi
  for app in "${APPS[@]}"; do
    show_app "$app" || complete=1
  done
  return "$complete"
}

show_row() { printf '%-32s %-16s %-16s %s\n' "$@"; }

show_package() {
  local wanted actual=missing healthy=no
  wanted=$(pinned "$1")
  FAILURES=0 FAILED_TASK=
  if app_is_ready "$1"; then healthy=yes; fi
  if [[ $STATE != 'not known to Marathon' ]]; then actual=$(json_get "$FLAT" .app.labels.DCOS_PACKAGE_VERSION); fi
  show_row "package $1" "$wanted" "${actual:-unknown}" "$healthy"
  [[ $healthy == yes ]]
}

show_app() {
  local wanted actual=missing healthy=no
  FAILURES=0 FAILED_TASK=
  if app_is_ready "fintrans/$1"; then healthy=yes; fi
  wanted="1 task"
  if [[ $STATE != 'not known to Marathon' ]]; then
    wanted=$(plural "$(json_number "$FLAT" .app.instances)" task)
    actual="$(json_number "$FLAT" .app.tasksRunning) running"
    [[ $healthy == yes ]] || healthy="no ($(json_number "$FLAT" .app.tasksHealthy) of $wanted)"
  fi
  show_row "app /fintrans/$1" "$wanted" "$actual" "$healthy"
  [[ $healthy == yes ]]
}
