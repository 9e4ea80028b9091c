# shellcheck shell=bash
# Where the programs come from, and that they are what they should be.

# sha256 FILE prints its SHA-256.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# default_artifacts prints where the releases of the checkout's repository are: those of its tag, else the latest.
default_artifacts() {
  local origin tag
  origin=$(git remote get-url origin 2>/dev/null) || return 1
  origin=${origin%.git}
  case $origin in
    http://* | https://*) ;;
    ssh://*) origin=https://${origin#ssh://} && origin=https://${origin#https://*@} ;;
    *@*:*) origin=${origin#*@} && origin=https://${origin/:/\/} ;;
    *) return 1 ;;
  esac
  if tag=$(git describe --tags --exact-match 2>/dev/null); then
    echo "$origin/releases/download/$tag"
  else
    echo "$origin/releases/latest/download"
  fi
}

# where_from ends a sentence on artifacts that are not there.
where_from() {
  echo "run 'make release' (needs Go), upload the files of dist/ ($(artifact_names | tr '\n' ' ')and SHA256SUMS) to a web server that this machine and the cluster's agents reach, and give its address with --artifacts-url; for a trial use --serve."
}

artifact_names() {
  local app
  for app in "${APPS[@]}"; do echo "$app-linux-$ARCH"; done
  echo grafana.tar.gz
}

# preflight_artifacts sees that all files are reachable and are what SHA256SUMS says, and remembers the sums.
preflight_artifacts() {
  local name got expected
  if [[ $SERVE == 1 ]]; then
    [[ -r dist/SHA256SUMS ]] || precondition "--serve finds no dist/: run 'make release' (needs Go) first."
    prepare_server
    SUMS=dist/SHA256SUMS
  else
    [[ -n $ARTIFACTS_URL ]] || ARTIFACTS_URL=$(default_artifacts) ||
      precondition "this checkout has no origin whose releases could be used: $(where_from)"
    SUMS=$WORK/SHA256SUMS
    download SHA256SUMS "$SUMS" || precondition "$ARTIFACTS_URL/SHA256SUMS cannot be fetched ($(tail -n 1 "$WORK/curl-error")): $(where_from)"
  fi
  for name in $(artifact_names); do
    expected=$(sum_of "$name")
    [[ $expected =~ ^[0-9a-f]{64}$ ]] || precondition "SHA256SUMS of ${ARTIFACTS_URL:-dist/} has no sum of $name: $(where_from)"
    if [[ $SERVE == 1 ]]; then
      got=$(sha256 "dist/$name")
    else
      download "$name" "$WORK/artifact" || precondition "$ARTIFACTS_URL/$name cannot be fetched ($(tail -n 1 "$WORK/curl-error")): $(where_from)"
      got=$(sha256 "$WORK/artifact")
    fi
    [[ $got == "$expected" ]] || precondition "${ARTIFACTS_URL:-dist}/$name is not what SHA256SUMS says (its SHA-256 is $got, expected $expected): upload the files of one 'make release' again."
  done
  rm -f "$WORK/artifact"
}

download() { curl -fsSL --connect-timeout 10 --max-time 300 -o "$2" "$ARTIFACTS_URL/$1" 2>"$WORK/curl-error"; }

sum_of() { NAME=$1 awk '$2 == ENVIRON["NAME"] || $2 == "*" ENVIRON["NAME"] { print $1; exit }' "$SUMS"; }

# prepare_server chooses what serves dist/ and where, and sets ARTIFACTS_URL.
prepare_server() {
  local local_ip
  SERVER=
  for SERVER in python3 ruby php busybox ''; do if [[ -z $SERVER ]] || command -v "$SERVER" >/dev/null; then break; fi; done
  [[ -n $SERVER ]] || precondition "--serve needs one of the commands python3, ruby, php and busybox: install one, or upload dist/ and use --artifacts-url."
  if [[ -z $SERVE_AT ]]; then
    # The address from which this machine talks to the cluster is one that the cluster can answer.
    local_ip=$(curl -s -o /dev/null ${CURL_TLS[@]+"${CURL_TLS[@]}"} --max-time 10 -w '%{local_ip}' "$CLUSTER_URL/") || true
    [[ -n $local_ip ]] || precondition "the address of this machine on the way to $CLUSTER_URL is not known: give it with --serve=HOST:PORT."
    SERVE_AT=$local_ip:8000
  fi
  [[ $SERVE_AT =~ ^[^:/]+:[0-9]+$ ]] || usage_error "--serve '$SERVE_AT' is not HOST:PORT"
  ARTIFACTS_URL=http://$SERVE_AT
}

# start_server serves dist/ until the installer ends.
start_server() {
  local host=${SERVE_AT%:*} port=${SERVE_AT##*:} log=$WORK/server tries=0
  if curl -s -o /dev/null --max-time 2 "$ARTIFACTS_URL/"; then
    precondition "something answers at $ARTIFACTS_URL already: end it, or choose another port with --serve=HOST:PORT."
  fi
  case $SERVER in
    python3) (cd dist && exec python3 -m http.server --bind "$host" "$port") >"$log" 2>&1 & ;;
    ruby) (cd dist && exec ruby -run -e httpd . --bind-address "$host" --port "$port") >"$log" 2>&1 & ;;
    php) (cd dist && exec php -S "$host:$port") >"$log" 2>&1 & ;;
    busybox) (cd dist && exec busybox httpd -f -p "$host:$port") >"$log" 2>&1 & ;;
  esac
  SERVER_PID=$!
  until curl -fs -o /dev/null --max-time 2 "$ARTIFACTS_URL/SHA256SUMS"; do
    if ! kill -0 "$SERVER_PID" 2>/dev/null || ((++tries > 50)); then
      precondition "$SERVER cannot serve dist/ at $ARTIFACTS_URL ('$(tail -n 1 "$log")'): choose another address with --serve=HOST:PORT."
    fi
    sleep 0.2
  done
  say "serving dist/ at $ARTIFACTS_URL"
}

# keep_serving stays for as long as tasks may need their programs again.
keep_serving() {
  [[ $SERVE == 1 ]] || return 0
  trap 'exit 0' INT TERM HUP # the installation itself is finished, from before anybody is told so
  echo
  echo "Serving dist/ at $ARTIFACTS_URL until Ctrl-C. A task that is started anew later needs it."
  wait "$SERVER_PID" || fail "$EXIT_FAILURE" "what served dist/ has ended ('$(tail -n 1 "$WORK/server")'): tasks that are started anew will not find their programs; run this command again."
}
