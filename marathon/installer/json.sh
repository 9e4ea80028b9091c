# shellcheck shell=bash
# JSON without jq, which the machine of whoever installs may not have.

# json_flatten [FILE] prints one line a leaf: its path, a tab, its value, as in `.app.tasks[0].id<TAB>x`.
# Strings lose their quotes, and newlines and tabs in them become spaces. Anything but JSON is status 1.
# A long line is looked at a piece at a time: awk copies what is left of it for each token.
json_flatten() {
  LC_ALL=C awk '
    function path(  i, p) {
      for (i = 1; i <= depth; i++) p = p (kind[i] == "{" ? "." key[i] : "[" place[i] "]")
      return p
    }
    function digit(c) { return index("0123456789abcdef", tolower(c)) - 1 }
    function plain(s) {
      s = substr(s, 2, length(s) - 2)
      if (index(s, "\\") == 0) return s
      gsub(/\\\\/, "\001", s)
      while (match(s, /\\u00[2-7][0-9a-fA-F]/))   # some write < > and & so
        s = substr(s, 1, RSTART - 1) sprintf("%c", 16 * digit(substr(s, RSTART + 4, 1)) + digit(substr(s, RSTART + 5, 1))) substr(s, RSTART + 6)
      gsub(/\\"/, "\"", s); gsub(/\\\//, "/", s); gsub(/\\[nrtbf]/, " ", s); gsub(/\001/, "\\", s)
      return s
    }
    function value(v) {
      if (depth == 0 && seen) bad()
      print path() "\t" v
      seen = 1
    }
    function bad() { failed = 1; exit 1 }
    function token(t,  first) {
      first = substr(t, 1, 1)
      if (first == "{" || first == "[") {
        if (depth == 0 && seen) bad()
        kind[++depth] = first; place[depth] = 0; naming = (first == "{"); seen = 1
      } else if (first == "}" || first == "]") {
        if (depth == 0 || kind[depth] != (first == "}" ? "{" : "[")) bad()
        depth--; naming = 0
      } else if (first == ",") {
        if (depth == 0) bad()
        place[depth]++; naming = (kind[depth] == "{")
      } else if (first == ":") naming = 0
      else if (first == "\"" && naming) key[depth] = plain(t)
      else value(first == "\"" ? plain(t) : t)
    }
    {
      rest = $0; piece = ""
      for (;;) {
        if (length(piece) < 2048 && rest != "") {
          piece = piece substr(rest, 1, 8192); rest = substr(rest, 8193)
        }
        sub(/^[ \t\r]+/, "", piece)
        if (piece == "") { if (rest == "") break; else continue }
        if (match(piece, /^("([^"\\]|\\.)*"|[][{}:,]|-?[0-9][0-9.eE+-]*|true|false|null)/) == 0) {
          if (rest == "") bad()
          piece = piece rest; rest = ""   # a string longer than a piece
          continue
        }
        taken = RLENGTH   # token() matches, too
        token(substr(piece, 1, taken))
        piece = substr(piece, taken + 1)
      }
    }
    END { exit failed || depth != 0 || !seen }
  ' "$@"
}

# json_get FILE PATH prints the value at the path of a flattened file; nothing where there is none.
json_get() {
  WANTED=$2 awk -F '\t' '$1 == ENVIRON["WANTED"] { print substr($0, length($1) + 2); exit }' "$1"
}

# json_number FILE PATH is json_get for a number: 0 where there is none, because the newer CLI leaves zeros out.
json_number() {
  local value
  value=$(json_get "$1" "$2")
  case $value in
    '' | *[!0-9]*) echo 0 ;;
    *) echo "$value" ;;
  esac
}

# json_string TEXT prints the text as a JSON string. The awks do not agree on backslashes in what gsub puts in.
json_string() {
  TEXT=$1 LC_ALL=C awk 'BEGIN {
    for (i = 1; i <= length(ENVIRON["TEXT"]); i++) {
      c = substr(ENVIRON["TEXT"], i, 1)
      out = out (c == "\\" || c == "\"" ? "\\" c : c == "\t" ? "\\t" : c == "\n" ? "\\n" : c)
    }
    printf "\"%s\"", out
  }'
}

# json_differences OURS THEIRS prints the paths at which flattened THEIRS is not what OURS says: ours that they
# lack or have otherwise, and what they have beyond ours in the objects and lists that a PUT replaces whole.
# Zero, false and empty count as absent, 0.10 as 0.1. A port that ours leaves open (0) may be any.
json_differences() {
  awk -F '\t' '
    function normal(v) {
      if (v ~ /^-?[0-9][0-9.eE+-]*$/) v = v + 0
      return v == 0 || v == "false" || v == "null" ? "" : v ""
    }
    { value = normal(substr($0, length($1) + 2)) }
    FNR == NR { ours[$1] = value; order[++n] = $1; next }
    { theirs[$1] = value }
    $1 ~ /^\.(env|labels)\./ && !($1 in ours) { print $1 }
    $1 ~ /^\.(fetch|healthChecks|portDefinitions)\[[0-9]+\]\.(uri|path|name)$/ && !($1 in ours) { print $1 }
    END {
      for (i = 1; i <= n; i++) {
        p = order[i]
        if (p ~ /^\.portDefinitions\[[0-9]+\]\.port$/ && ours[p] == "") continue
        if (ours[p] != theirs[p]) print p
      }
    }
  ' "$1" "$2"
}
