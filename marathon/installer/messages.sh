# shellcheck shell=bash
# What the installer says, and how it ends. All of it goes to stdout but failures, which go to stderr.

# The exit statuses, as --help lists them.
readonly EXIT_FAILURE=1 EXIT_USAGE=2 EXIT_PRECONDITION=3 EXIT_TIMEOUT=4 EXIT_REFUSED=5 EXIT_GRAFANA=6 EXIT_INTERRUPTED=130

# say TEXT prints a line with the seconds since the start.
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# detail TEXT prints a line that belongs to the one before.
detail() { printf '         %s\n' "$*"; }

# fail STATUS SENTENCE... ends with one sentence and what to do.
fail() {
  local status=$1
  shift
  printf 'install-fintrans.sh: %s\n' "$*" >&2
  exit "$status"
}

# indent FILE [LINES] prints the end of a file, set off, for diagnoses.
indent() { tail -n "${2:-10}" "$1" | sed 's/^/    | /' >&2; }

# plural N WORD prints the number with the word in its form.
plural() { if (($1 == 1)); then printf '%d %s' "$1" "$2"; else printf '%d %ss' "$1" "$2"; fi; }
