# shellcheck shell=bash
# Removing what was installed, and nothing else. The apps go last: their label says which packages are ours, and an
# uninstall that was interrupted needs to know that.

uninstall() {
  local app package there=0 left=
  remember_ours
  for app in "${APPS[@]}" grafana-provision; do if app_exists "fintrans/$app"; then there=1; fi; done
  if ((there == 0)); then
    say "there is no app of fintrans; packages are left as they are"
    return 0
  fi
  echo "To be removed: the apps in /fintrans${OURS:+, and with all of their data the packages $OURS}"
  for package in "${PACKAGES[@]}"; do
    if [[ " $OURS " != *" $package "* ]] && app_exists "$package"; then left="$left${left:+, }$package"; fi
  done
  [[ -z $left ]] || echo "To be left, because it was there before: $left, with the topics and the database fintrans in them"
  if [[ $DRY_RUN == 1 ]]; then
    say "would remove that"
    return 0
  fi
  confirm || fail "$EXIT_FAILURE" "not removed: nothing was changed."
  suspend_apps
  for package in $OURS; do remove_package "$package"; done
  for app in grafana-provision "${APPS[@]}"; do remove_app "$app"; done
  say "removed; 'git clean -xdf' in this checkout removes what was built"
}

# remember_ours sets OURS to the packages that the apps' label names and that are there.
remember_ours() {
  local app package noted=
  for app in "${APPS[@]}"; do
    if app_exists "fintrans/$app"; then noted="$noted $(json_get "$FLAT" .app.labels.FINTRANS_PACKAGES)"; fi
  done
  OURS=
  for package in "${PACKAGES[@]}"; do
    if [[ " $noted " == *" $package "* ]] && app_exists "$package"; then OURS="$OURS${OURS:+ }$package"; fi
  done
}

confirm() {
  local answer=
  [[ $YES == 0 ]] || return 0
  printf 'Remove it? [y/N] '
  read -r answer || true
  [[ $answer == y || $answer == Y || $answer == yes ]]
}

# suspend_apps ends the tasks while Kafka is there, so that they can drain.
suspend_apps() {
  local app
  echo '{"instances": 0}' >"$WORK/suspend"
  for app in "${APPS[@]}"; do
    if app_exists "fintrans/$app"; then
      say "stopping app /fintrans/$app"
      change PUT "/service/marathon/v2/apps/fintrans/$app?force=true" "$WORK/suspend" || true # gone is as good
    fi
  done
  for app in "${APPS[@]}"; do
    wait_for "app /fintrans/$app" app_is_stopped "fintrans/$app"
  done
}

app_is_stopped() {
  app_exists "$1" || return 0
  STATE="$(plural "$(json_number "$FLAT" .app.tasksRunning)" task) still running"
  [[ $(json_number "$FLAT" .app.tasksRunning) == 0 ]]
}

remove_package() {
  say "removing package $1"
  if ! cli package uninstall "$1" --app --yes; then
    if ! cat "$WORK/cli" "$WORK/cli-error" | grep -q 'not installed'; then
      fail "$EXIT_REFUSED" "package $1 cannot be removed: $(cli_says) Run this command again when that is cured."
    fi
  fi
  wait_for "package $1" app_is_gone "$1"
}

remove_app() {
  if ! app_exists "fintrans/$1"; then return 0; fi
  say "removing app /fintrans/$1"
  change DELETE "/service/marathon/v2/apps/fintrans/$1?force=true" || true # gone is gone
  wait_for "app /fintrans/$1" app_is_gone "fintrans/$1"
}

app_is_gone() {
  app_exists "$1" || return 0
  STATE="being removed"
  return 1
}
