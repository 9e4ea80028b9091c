package install_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// awks are those that a user's machine may have; the tests run with each that is there, and with this machine's.
var awks = []string{"awk", "mawk", "gawk", "original-awk", "busybox awk"}

// withAwk returns the PATHs with each awk that this machine has.
func withAwk(t *testing.T) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for _, awk := range awks {
		program, err := exec.LookPath(strings.Fields(awk)[0])
		if err != nil {
			if awk == "awk" {
				t.Fatal(err)
			}
			continue
		}
		dir := t.TempDir()
		if err := os.Symlink(program, filepath.Join(dir, "awk")); err != nil { // busybox, too, is what it is called by
			t.Fatal(err)
		}
		paths[awk] = dir + ":" + os.Getenv("PATH")
	}
	return paths
}

// shell runs a command with the functions of a file of the installer.
func shell(t *testing.T, path, part, command, stdin string) (string, error) {
	t.Helper()
	run := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", ". marathon/installer/"+part+".sh; "+command)
	run.Dir = root
	run.Env = []string{"PATH=" + path, "TMPDIR=" + t.TempDir()}
	run.Stdin = strings.NewReader(stdin)
	run.WaitDelay = harness.Patience
	output, err := run.Output()
	return string(output), err
}

func TestFlatten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 20_000)
	for awk, path := range withAwk(t) {
		for _, test := range []struct{ json, want string }{
			{`{"a":1,"b":[true,{"c":null}],"d":{},"e":[],"f":-1.5e3}`, ".a\t1\n.b[0]\ttrue\n.b[1].c\tnull\n.f\t-1.5e3\n"},
			{`[]`, ""},
			{`[{"x":"y"},[1]]`, "[0].x\ty\n[1][0]\t1\n"},
			{`{"s":"a\"b\\n\/c\n\td"}`, ".s\ta\"b\\n/c  d\n"},
			{`{"s":"a\u003eb\u0026\\u003e"}`, ".s\ta>b&\\u003e\n"},
			{`{"s":"{,:[]}","t":""}`, ".s\t{,:[]}\n.t\t\n"},
			{"{\n  \"a\" : 1 ,\r\n\t\"b\": \"2\"\n}\n", ".a\t1\n.b\t2\n"},
			{`{"s":"` + long + `","t":1}`, ".s\t" + long + "\n.t\t1\n"},
			{`"alone"`, "\talone\n"},
		} {
			got, err := shell(t, path, "json", "json_flatten", test.json)
			if err != nil || got != test.want {
				t.Errorf("%s: %.60s: got %.80q, %v, want %.80q", awk, test.json, got, err, test.want)
			}
		}
		for _, wrong := range []string{"", "<html>", `{"a":1`, `{"a":1}}`, `{"a":'b'}`, `[1}`, `1 2`, `{"a":"b`} {
			if got, err := shell(t, path, "json", "json_flatten", wrong); err == nil {
				t.Errorf("%s: %s is taken for JSON: %q", awk, wrong, got)
			}
		}
	}
}

func TestStringsAreQuoted(t *testing.T) {
	t.Parallel()
	const text = "a\"b\\c\td\ne é \\n"
	for awk, path := range withAwk(t) {
		got, err := shell(t, path, "json", `json_string "$(cat)"`, text)
		var back string
		if err == nil {
			err = json.Unmarshal([]byte(got), &back)
		}
		if err != nil || back != text {
			t.Errorf("%s: %q became %s, %v", awk, text, got, err)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	const ours = `{"cpus":0.1,"instances":1,"env":{"A":"1"},"fetch":[{"uri":"u","cache":false}],"portDefinitions":[{"port":0,"name":"http"}],"healthChecks":[{"path":"/health","maxConsecutiveFailures":0}]}`
	for awk, path := range withAwk(t) {
		for theirs, want := range map[string]string{
			ours: "",
			// Marathon gives a port, and more fields; the newer client leaves zeros out.
			`{"cpus":0.10,"instances":1,"env":{"A":"1"},"fetch":[{"uri":"u"}],"portDefinitions":[{"port":10101,"name":"http"}],"healthChecks":[{"path":"/health","ipProtocol":"IPv4"}],"version":"x"}`: "",
			strings.Replace(ours, `"A":"1"`, `"A":"2"`, 1):                                   ".env.A",
			strings.Replace(ours, `"A":"1"`, `"A":"1","B":"1"`, 1):                           ".env.B",
			strings.Replace(ours, `"cpus":0.1`, `"cpus":0.2`, 1):                             ".cpus",
			strings.Replace(ours, `"instances":1`, `"instances":3`, 1):                       ".instances",
			strings.Replace(ours, `{"uri":"u","cache":false}`, `{"uri":"v"}`, 1):             ".fetch[0].uri",
			strings.Replace(ours, `{"uri":"u","cache":false}`, `{"uri":"u"},{"uri":"w"}`, 1): ".fetch[1].uri",
		} {
			dir := t.TempDir()
			for name, text := range map[string]string{"ours": ours, "theirs": theirs} {
				flat, err := shell(t, path, "json", "json_flatten", text)
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, name), []byte(flat), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			got, err := shell(t, path, "json", fmt.Sprintf("json_differences %s/ours %s/theirs", dir, dir), "")
			if err != nil || strings.TrimSpace(got) != want {
				t.Errorf("%s: %s: got %q, %v, want %q", awk, theirs, got, err, want)
			}
		}
	}
}

// TestFlattenAgreesWithGo compares a large, real answer with what encoding/json reads.
func TestFlattenAgreesWithGo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(root + "/marathon/laundering-detector.json")
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	leaves("", value, want)
	for awk, path := range withAwk(t) {
		flat, err := shell(t, path, "json", "json_flatten", string(text))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for line := range strings.Lines(flat) {
			at, leaf, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			got[at] = leaf
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", awk, got, want)
		}
	}
}

func leaves(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			leaves(path+"."+key, inner, into)
		}
	case []any:
		for i, inner := range v {
			leaves(fmt.Sprintf("%s[%d]", path, i), inner, into)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}
