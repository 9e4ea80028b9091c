# shellcheck shell=bash
# The packages from the cluster's catalog.

# pinned PACKAGE prints the version that is wanted.
pinned() {
  case $1 in
    kafka) echo "$KAFKA_VERSION" ;;
    influxdb) echo "$INFLUXDB_VERSION" ;;
    grafana) echo "$GRAFANA_VERSION" ;;
    marathon-lb) echo "$MARATHON_LB_VERSION" ;;
  esac
}

# install_packages installs those that are missing. Those that are there stay as they are.
install_packages() {
  local package there
  for package in "${PACKAGES[@]}"; do
    if app_exists "$package"; then
      there=$(json_get "$FLAT" .app.labels.DCOS_PACKAGE_VERSION)
      if [[ $there == "$(pinned "$package")" ]]; then
        say "package $package $there is there"
      else
        say "package $package is there in version ${there:-unknown}, not $(pinned "$package"): it is kept as it is"
      fi
    else
      install_package "$package"
    fi
  done
}

install_package() {
  local package=$1 version options=marathon/$1-options.json
  version=$(pinned "$package")
  if [[ $DRY_RUN == 1 ]]; then
    say "would install package $package $version with marathon/$package-options.json"
    return 0
  fi
  if [[ $package == grafana && -n $GRAFANA_PASSWORD ]]; then
    options=$WORK/grafana-options.json # only this user can read it
    PASSWORD=$(json_string "$GRAFANA_PASSWORD") awk '{ i = index($0, "\"grafana\": {"); if (i) { i += 11; print substr($0, 1, i) "\"admin_password\": " ENVIRON["PASSWORD"] ", " substr($0, i + 1) } else print }' \
      marathon/grafana-options.json >"$options"
  fi
  CHANGES=$((CHANGES + 1))
  say "installing package $package $version"
  if ! cli package install "$package" --options="$options" --package-version="$version" --app --yes; then
    # Both clients say it in these words, when an earlier run, or somebody else, was quicker.
    if cat "$WORK/cli" "$WORK/cli-error" | grep -q 'already installed'; then
      say "package $package is there already"
    else
      fail "$EXIT_REFUSED" "package $package $version cannot be installed: $(cli_says) Run this command again when that is cured."
    fi
  fi
}

# wait_for_packages waits until each runs, and Kafka's broker behind its scheduler.
wait_for_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    wait_for "package $package" app_is_ready "$package"
  done
  wait_for "Kafka's broker" broker_is_up
}

# broker_is_up reports whether a broker runs, and sets STATE to what is there.
broker_is_up() {
  STATE="the task kafka-0-broker is not there yet; Kafka's scheduler starts it"
  cli task --json && json_flatten "$WORK/cli" >"$WORK/tasks" 2>/dev/null || return 1
  awk -F '\t' '
    $1 ~ /^\[[0-9]+\]\.name$/ && $2 ~ /^kafka-[0-9]+-broker$/ { broker[substr($1, 1, length($1) - 5)] = $2 }
    $1 ~ /^\[[0-9]+\]\.state$/ { state[substr($1, 1, length($1) - 6)] = $2 }
    END { for (t in broker) print broker[t], state[t] }
  ' "$WORK/tasks" >"$WORK/brokers"
  [[ ! -s $WORK/brokers ]] || STATE="the task $(head -n 1 "$WORK/brokers")"
  grep -q ' TASK_RUNNING$' "$WORK/brokers"
}
