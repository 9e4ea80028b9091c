# shellcheck shell=bash
# What must hold before anything is changed. Each check that fails is one sentence with what to do.

precondition() { fail "$EXIT_PRECONDITION" "$*"; }

# preflight_commands needs nothing but this machine.
preflight_commands() {
  local file
  command -v curl >/dev/null || precondition "curl is missing: install it (it is the package curl everywhere)."
  command -v dcos >/dev/null ||
    precondition "the dcos command is missing: install it as your cluster's web interface shows (menu at its top right, 'Install CLI'), then 'dcos cluster setup URL'."
  for file in marathon/{generator,influx-ingest,laundering-detector,grafana-provision}.json marathon/{kafka,influxdb,grafana,marathon-lb}-options.json grafana/provision.sh; do
    [[ -r $file ]] || precondition "$PWD/$file is missing: run this command from a whole checkout."
  done
}

# preflight_cluster: attached, logged in, new enough.
preflight_cluster() {
  cli config show core.dcos_url ||
    precondition "the dcos command is not attached to a cluster ('$(cli_says)'): run 'dcos cluster setup URL' with your cluster's URL."
  attach "$(head -n 1 "$WORK/cli")"
  cli marathon app list --json ||
    precondition "the dcos command cannot list the apps of $CLUSTER_URL: run 'dcos auth login', and see that the cluster is up. It says: $(cli_says)"
  api GET /dcos-metadata/dcos-version.json
  if [[ $STATUS != 200 ]] || ! json_flatten "$ANSWER" >"$WORK/version"; then
    precondition "$CLUSTER_URL does not say which DC/OS it is (GET /dcos-metadata/dcos-version.json: $(trouble)): see that this is the address of the cluster's masters."
  fi
  DCOS_VERSION=$(json_get "$WORK/version" .version)
  at_least "$DCOS_VERSION" 1 9 || precondition "the cluster runs DC/OS ${DCOS_VERSION:-of an unknown version}, and this command needs 1.9 or newer: upgrade the cluster."
  # The catalog hides releases that are too new for the cluster.
  if [[ -z $KAFKA_VERSION ]]; then
    if at_least "$DCOS_VERSION" 1 11; then KAFKA_VERSION=2.10.0-2.4.0; elif at_least "$DCOS_VERSION" 1 10; then KAFKA_VERSION=2.5.0-2.1.0; else KAFKA_VERSION=2.3.0-1.1.0; fi
  fi
}

# at_least VERSION MAJOR MINOR
at_least() {
  [[ $1 =~ ^([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > $2 || BASH_REMATCH[1] == $2 && BASH_REMATCH[2] >= $3))
}

# preflight_packages sees that the catalog has what is not installed yet.
preflight_packages() {
  local package version
  for package in "${PACKAGES[@]}"; do
    if app_exists "$package"; then continue; fi
    version=$(pinned "$package")
    cli package describe "$package" --package-version="$version" ||
      precondition "the catalog of the cluster cannot give version $version of package $package ('$(cli_says)'): see 'dcos package describe $package --package-versions', and choose one with --$package-version."
  done
}

# app_exists ID reports whether Marathon has the app; ID is without its first slash.
app_exists() { get "/service/marathon/v2/apps/$1"; }

# needs prints, for what is not there yet, CPUs, MB and the kind of agent.
needs() {
  local package app n
  for package in "${PACKAGES[@]}"; do
    if app_exists "$package"; then continue; fi
    case $package in
      kafka) echo "1 1024 private"; options_need kafka brokers.cpus brokers.mem private ;; # the scheduler's share is fixed
      influxdb) options_need influxdb service.cpus service.mem private ;;
      grafana) options_need grafana grafana.cpus grafana.mem private ;;
      marathon-lb) options_need marathon-lb marathon-lb.cpus marathon-lb.mem public ;;
    esac
  done
  for app in "${APPS[@]}"; do
    if app_exists "fintrans/$app"; then continue; fi
    json_flatten "marathon/$app.json" >"$WORK/needs"
    n=$(instances_of "$app") || exit $?
    echo "$(json_get "$WORK/needs" .cpus) $(json_get "$WORK/needs" .mem) private $n"
  done
}

# options_need PACKAGE CPUS MEM KIND reads what the options ask for.
options_need() {
  json_flatten "marathon/$1-options.json" >"$WORK/needs"
  echo "$(json_get "$WORK/needs" ".$2") $(json_get "$WORK/needs" ".$3") $4"
}

# preflight_resources compares what is needed with what the agents have left, each thing on one of them.
preflight_resources() {
  local short
  needs >"$WORK/all-needs"
  [[ -s $WORK/all-needs ]] || return 0
  get /mesos/master/state-summary || precondition "the cluster does not tell its agents' resources (GET /mesos/master/state-summary: $(trouble)): see that this user may look at Mesos."
  if ! grep -q '^\.slaves\[[0-9]*\]\.attributes\.public_ip	true' "$FLAT" && grep -q ' public' "$WORK/all-needs"; then
    precondition "the cluster has no public agent, which marathon-lb needs to show Grafana outside: add one (an agent with the role slave_public)."
  fi
  short=$(awk -F '\t' '
    FNR == NR { split($0, f, " "); n = f[4] == "" ? 1 : f[4]; for (i = 0; i < n; i++) { want[++wants] = f[3]; wcpus[wants] = f[1]; wmem[wants] = f[2] }; next }
    match($1, /^\.slaves\[[0-9]+\]/) {
      agent = substr($1, 1, RLENGTH); field = substr($1, RLENGTH + 1); kind[agent] = kind[agent] ""
      if (field == ".attributes.public_ip" && $2 == "true") kind[agent] = "public"
      if (field == ".resources.cpus") cpus[agent] += $2
      if (field == ".resources.mem") mem[agent] += $2
      if (field == ".used_resources.cpus") cpus[agent] -= $2
      if (field == ".used_resources.mem") mem[agent] -= $2
      if (field == ".active" && $2 == "false") gone[agent] = 1
    }
    END {
      for (agent in kind) {
        k = kind[agent] == "" ? "private" : "public"
        if (agent in gone) continue
        have_cpus[k] += cpus[agent]; have_mem[k] += mem[agent]
      }
      for (i = 1; i <= wants; i++) {                # the largest first would pack better; what is left is told by Marathon
        need_cpus[want[i]] += wcpus[i]; need_mem[want[i]] += wmem[i]; fits = 0
        for (agent in kind) {
          k = kind[agent] == "" ? "private" : "public"
          if (k != want[i] || agent in gone || cpus[agent] + 0.0001 < wcpus[i] || mem[agent] < wmem[i]) continue
          cpus[agent] -= wcpus[i]; mem[agent] -= wmem[i]; fits = 1; break
        }
        if (!fits) missing[want[i]] = 1
      }
      for (k in missing)
        printf "the %s agents have %.1f CPUs and %d MB free, and what is to be installed needs %.1f CPUs and %d MB there", k, have_cpus[k], have_mem[k], need_cpus[k], need_mem[k]
    }
  ' "$WORK/all-needs" "$FLAT")
  [[ -z $short ]] || precondition "$short: add agents, or free what is in use."
}

# find_public_agent sets PUBLIC_AGENT where the cluster tells the address; it stays empty otherwise.
find_public_agent() {
  [[ -z $PUBLIC_AGENT ]] || return 0
  get /mesos/master/state-summary || return 0
  awk -F '\t' '
    match($1, /^\.slaves\[[0-9]+\]/) { agent = substr($1, 1, RLENGTH); field = substr($1, RLENGTH + 1) }
    field == ".hostname" { name[agent] = $2 }
    field == ".attributes.public_ip" && $2 == "true" { public[agent] = 1 }
    END { for (agent in public) print name[agent] }
  ' "$FLAT" >"$WORK/public-agents"
  [[ -s $WORK/public-agents ]] || return 0
  api GET /net/v1/nodes
  if [[ $STATUS != 200 ]] || ! json_flatten "$ANSWER" >"$FLAT"; then return 0; fi # clusters before 1.13 do not have it
  PUBLIC_AGENT=$(awk -F '\t' '
    FNR == NR { public[$1] = 1; next }
    match($1, /^\[[0-9]+\]/) { node = substr($1, 1, RLENGTH); field = substr($1, RLENGTH + 1) }
    field == ".private_ip" || field == ".hostname" { if ($2 in public) found[node] = 1 }
    field == ".public_ips[0]" { ip[node] = $2 }
    END { for (node in ip) if (node in found) { print ip[node]; exit } }
  ' "$WORK/public-agents" "$FLAT")
}
