# shellcheck shell=bash
# The data source and the dashboards: by grafana/provision.sh, from here where Grafana can be reached from here,
# else by a task within the cluster, once.

readonly INFLUX_INSIDE=http://influxdb.marathon.l4lb.thisdcos.directory:8086

# How long Grafana's address may take to answer from here once everything runs: marathon-lb looks every few seconds.
readonly REACH_SECONDS=30

provision_grafana() {
  find_public_agent
  if [[ $DRY_RUN == 1 ]]; then
    say "would put the data source and the dashboards into Grafana at http://${PUBLIC_AGENT:-<address of the public agent>}:13000"
    return 0
  fi
  if [[ -n $PUBLIC_AGENT ]] && wait_until_reachable; then
    provision_from_here
  else
    if [[ -n $PUBLIC_AGENT ]]; then
      say "Grafana: http://$PUBLIC_AGENT:13000 cannot be reached from here; provisioning it from within the cluster"
    else
      say "Grafana: the cluster does not tell the public agent's address; provisioning it from within the cluster"
    fi
    provision_from_inside
  fi
}

# wait_until_reachable reports whether Grafana answers at the public agent.
wait_until_reachable() {
  local until=$((SECONDS + REACH_SECONDS))
  while ! curl -s -o /dev/null --connect-timeout 3 --max-time 10 "http://$PUBLIC_AGENT:13000/api/health"; do
    ((SECONDS < until && SECONDS < DEADLINE)) || return 1
    sleep 1
  done
}

provision_from_here() {
  local status=0
  GRAFANA_PASSWORD=${GRAFANA_PASSWORD:-admin} bash grafana/provision.sh --grafana "http://$PUBLIC_AGENT:13000" --influx "$INFLUX_INSIDE" --wait 60 \
    >"$WORK/provision" 2>&1 || status=$?
  provisioned "$status" "$WORK/provision"
}

# provisioned STATUS FILE says how provision.sh has ended. Trouble is told again at the end, after the proof.
provisioned() {
  local status=$1 file=$2
  if ((status == 0)); then
    say "Grafana: data source and dashboards are in place"
    return 0
  fi
  GRAFANA_TROUBLE=$(sed '/^[[:space:]]*$/d' "$file" | tail -n 1)
  GRAFANA_TROUBLE=${GRAFANA_TROUBLE:-grafana/provision.sh ended with exit status $status}
  say "Grafana: not provisioned: $GRAFANA_TROUBLE"
  ((status != 4)) || detail "if its password is not 'admin', give it with --grafana-password-file"
}

# provision_from_inside runs provision.sh as a task, waits until it has said how it ended, and removes it.
provision_from_inside() {
  local id=fintrans/grafana-provision file=$WORK/grafana-provision.json task status=
  local limit=$((SECONDS + 180))
  URL=$ARTIFACTS_URL SUM=$(sum_of grafana.tar.gz) PASSWORD=$(json_string "${GRAFANA_PASSWORD:-admin}") awk '
    function put(old, new,  i) { if (i = index($0, old)) $0 = substr($0, 1, i - 1) new substr($0, i + length(old)) }
    {
      put("https://artifacts.invalid", ENVIRON["URL"])
      put("0000000000000000000000000000000000000000000000000000000000000000", ENVIRON["SUM"])
      put("\"admin\"", ENVIRON["PASSWORD"])
      print
    }' marathon/grafana-provision.json >"$file"
  change PUT "/service/marathon/v2/apps/$id" "$file" || fail "$EXIT_REFUSED" "Marathon does not take the app /$id ($(trouble))."
  say "Grafana: the task /$id provisions it"
  while [[ -z $status ]] && ((SECONDS < limit && SECONDS < DEADLINE)); do
    sleep 2
    for task in $(tasks_of "$id"); do
      if cli task log --lines=50 "$task" stdout; then
        status=$(sed -n 's/.*provision\.sh ended with exit status \([0-9]*\).*/\1/p' "$WORK/cli" | tail -n 1)
        cli task log --lines=50 "$task" stderr && cp "$WORK/cli" "$WORK/provision"
      fi
    done
  done
  change DELETE "/service/marathon/v2/apps/$id?force=true" || true # gone is gone
  if [[ -z $status ]]; then
    echo "the task /$id did not end in time" >"$WORK/provision"
  fi
  provisioned "${status:-1}" "$WORK/provision"
}
