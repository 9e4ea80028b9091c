# shellcheck shell=bash
# The three apps.

# instances_of APP prints how many are wanted: what the options say, else what is there, else one.
# Only an option or somebody at the cluster changes the number.
instances_of() {
  local choice n=
  for choice in ${INSTANCES[@]+"${INSTANCES[@]}"}; do
    if [[ ${choice%%=*} == "$1" ]]; then n=${choice#*=}; fi
  done
  if [[ -z $n ]] && app_exists "fintrans/$1"; then n=$(json_number "$FLAT" .app.instances); fi
  echo "${n:-1}"
}

# remember_packages sets OURS to the packages that this command has installed or is about to. The apps carry the
# list as a label from before the first package on, so that an uninstall knows it, whatever was interrupted.
remember_packages() {
  local package app noted=
  for app in "${APPS[@]}"; do
    if app_exists "fintrans/$app"; then noted="$noted $(json_get "$FLAT" .app.labels.FINTRANS_PACKAGES)"; fi
  done
  OURS=
  for package in "${PACKAGES[@]}"; do
    if [[ " $noted " == *" $package "* ]] || ! app_exists "$package"; then OURS="$OURS${OURS:+ }$package"; fi
  done
}

# render APP prints the definition as Marathon gets it.
render() {
  local app=$1 pair list=$WORK/render fetches='' n
  n=$(instances_of "$app") || exit $?
  : >"$list"
  for pair in ${ENVIRONMENT[@]+"${ENVIRONMENT[@]}"}; do
    if [[ ${pair%%:*} == "$app" ]]; then
      pair=${pair#*:}
      printf '%s\t%s\n' "${pair%%=*}" "$(json_string "${pair#*=}")" >>"$list"
    fi
  done
  for pair in ${FETCHES[@]+"${FETCHES[@]}"}; do
    if [[ ${pair%%:*} == "$app" ]]; then
      fetches="$fetches    {\"uri\": $(json_string "${pair#*:}"), \"executable\": false, \"extract\": false, \"cache\": false},
"
    fi
  done
  # The file is read twice: which settings it has already must be known where the others go in.
  N=$n URL=$ARTIFACTS_URL SUM=$(sum_of "$app-linux-$ARCH") ARCH=$ARCH FETCHES=$fetches OURS=$OURS awk -F '\t' '
    function put(old, new,  i) {
      while (old != new && (i = index(line, old))) line = substr(line, 1, i - 1) new substr(line, i + length(old))
    }
    pass == 1 { setting[$1] = substr($0, length($1) + 2); next }
    { name = match($0, /^    "[A-Z0-9_]+": /) ? substr($0, 6, RLENGTH - 8) : "" }
    pass == 2 { if (name != "") existing[name] = 1; next }
    {
      line = $0
      put("https://artifacts.invalid", ENVIRON["URL"])
      put("linux-amd64", "linux-" ENVIRON["ARCH"])
      put("0000000000000000000000000000000000000000000000000000000000000000", ENVIRON["SUM"])
      if (line ~ /^  "labels": \{\},$/) line = "  \"labels\": {\"FINTRANS_PACKAGES\": \"" ENVIRON["OURS"] "\"},"
      if (line ~ /^  "instances": /) line = "  \"instances\": " ENVIRON["N"] ","
      if (name in setting) line = "    \"" name "\": " setting[name] (line ~ /,$/ ? "," : "")
      print line
      if (line ~ /^  "env": \{$/) for (name in setting) if (!(name in existing)) print "    \"" name "\": " setting[name] ","
      if (line ~ /^  "fetch": \[$/) printf "%s", ENVIRON["FETCHES"]
    }
  ' pass=1 "$list" pass=2 "marathon/$app.json" pass=3 "marathon/$app.json"
}

# apply_apps creates or updates what differs from what is wanted, and says what stays.
apply_apps() {
  local app
  for app in "${APPS[@]}"; do apply_app "$app"; done
}

apply_app() {
  local app=$1 file=$WORK/$1.json differences verb
  render "$app" >"$file"
  json_flatten "$file" >"$WORK/ours" || fail "$EXIT_FAILURE" "the definition of $app is not valid JSON: see marathon/$app.json and the values of --env and --fetch."
  if app_exists "fintrans/$app"; then
    sed 's/^\.app//' "$FLAT" >"$WORK/theirs"
    differences=$(json_differences "$WORK/ours" "$WORK/theirs" | tr '\n' ' ')
    if [[ -z $differences ]]; then
      say "app /fintrans/$app is unchanged"
      return 0
    fi
    verb=updat
  else
    differences=
    verb=creat
  fi
  if [[ $DRY_RUN == 1 ]]; then
    say "would ${verb}e app /fintrans/$app ($(plural "$(json_number "$WORK/ours" .instances)" instance))${differences:+; differs in $differences}"
    return 0
  fi
  CHANGES=$((CHANGES + 1))
  say "${verb}ing app /fintrans/$app ($(plural "$(json_number "$WORK/ours" .instances)" instance))${differences:+; differs in $differences}"
  change PUT "/service/marathon/v2/apps/fintrans/$app" "$file" || fail "$EXIT_REFUSED" "Marathon does not take the app /fintrans/$app ($(trouble))."
}

wait_for_apps() {
  local app
  for app in "${APPS[@]}"; do
    wait_for "app /fintrans/$app" app_is_ready "fintrans/$app"
  done
}
