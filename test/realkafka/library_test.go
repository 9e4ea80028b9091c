package realkafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maven counts how often it is started in the file that MAVEN_STARTS names, and fetches the third time.
const maven = `#!/bin/sh
echo >>"$MAVEN_STARTS"
test "$(wc -l <"$MAVEN_STARTS")" -ge 3 || { echo "the registry does not answer" >&2; exit 1; }
for argument; do
  case $argument in -DoutputDirectory=*) : >"${argument#*=}/fetched.jar" ;; esac
done
`

// TestFetchTriesAgain has Maven fail twice, and then more often than it is asked.
func TestFetchTriesAgain(t *testing.T) {
	dir := t.TempDir()
	pom := filepath.Join(dir, "some", "pom.xml")
	if err := os.MkdirAll(filepath.Dir(pom), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{pom: "<project/>", filepath.Join(dir, "mvn"): maven} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // one of them is a program
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("MAVEN_STARTS", filepath.Join(dir, "starts"))
	library, err := Jars(t.Context(), pom, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(library, "fetched.jar")); err != nil {
		t.Error(err)
	}
	t.Setenv("MAVEN_STARTS", "/dev/null")
	if _, err := Jars(t.Context(), pom, t.TempDir()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v, want what Maven says", err)
	}
}
