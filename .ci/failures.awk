# What `go test` printed about the tests that failed, at most `most` lines of each, so that a run of an hour ends with
# what a person has to know of it. It reads the output twice: awk -v most=15 -f failures.awk LOG LOG
FNR == NR {
  if (match($0, /--- FAIL: [^ ]+/)) failed[substr($0, RSTART + 10, RLENGTH - 10)] = 1
  next
}
/^ *--- FAIL: / { name = $3; print; next } # without -v, what the test said comes after this line
/^ *--- / { name = ""; next }
/^(FAIL|panic:|fatal error:|WARNING: DATA RACE)/ { name = ""; print; next }
/^=== [A-Z]+ +/ { name = $3; next }
(name in failed) && lines[name]++ < most { print "  " name ": " substr($0, 1, 300) }
