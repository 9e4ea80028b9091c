package cases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// outcome is what a service that ends by itself leaves behind.
type outcome struct {
	status         int
	stdout, stderr string
}

// execute runs a service that is expected to end at once, with nothing but these settings.
func execute(t testing.TB, service string, env harness.Env, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(harness.Binaries(t, service), service), args...)
	command.Env = []string{}
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %s: %v", service, err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s with %v %q goes on, want its end", service, env, args)
	}
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// refused reports what is wrong with the outcome of settings that are not valid: it has to be exit status 2,
// nothing on stdout, and on stderr one line that holds all the parts and none of the secrets.
func refused(t testing.TB, what string, got outcome, service string, parts ...string) {
	t.Helper()
	line := strings.TrimSuffix(got.stderr, "\n")
	if got.status != 2 || got.stdout != "" || line+"\n" != got.stderr || strings.Contains(line, "\n") || !strings.HasPrefix(line, service+": ") {
		t.Errorf("%s: exit status %d, stdout %q, stderr %q; want 2, nothing, and one line of %s", what, got.status, got.stdout, got.stderr, service)
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("%s: stderr %q does not say %q", what, line, part)
		}
	}
	if strings.Contains(line, secret) {
		t.Errorf("%s: stderr %q has a secret in it", what, line)
	}
}

// flagOf is the flag of a variable.
func flagOf(variable string) string {
	return "--" + strings.ReplaceAll(strings.ToLower(variable), "_", "-")
}

// badSettingsAreRefused gives each setting of a service values that are not valid, by environment and by
// flag, and settings that contradict each other. It fails for a setting that --help lists and the
// tables do not know. What all services share is tried in all variants on the detector, once on the others.
func badSettingsAreRefused(service string) func(testing.TB, harness.Starter) {
	return func(t testing.TB, _ harness.Starter) {
		known := map[string]bool{}
		for _, s := range settingsOf(t, service) {
			known[s.variable] = true
			rows := badValues[s.variable]
			if len(rows) == 0 && freeText[s.variable] == "" && !jointly[s.variable] {
				t.Errorf("%s: no row of badValues has a value for %s that is not valid", service, s.variable)
			}
			if shared[s.variable] && service != detector {
				rows = rows[:min(1, len(rows))]
			}
			for i, row := range rows {
				row.refuse(t, service, s.variable, i == 0)
			}
		}
		dir := secretFiles(t)
		for _, row := range badTogether {
			if known[row.about] || known[row.about+"_FILE"] {
				row.refuse(t, service, dir)
			}
		}
	}
}

// refuse shows that the service does not start with this value, also not when a flag has it.
func (b badValue) refuse(t testing.TB, service, variable string, alsoFlag bool) {
	t.Helper()
	shown := b.shown
	if shown == "" {
		shown = strconv.Quote(b.value)
	}
	refused(t, variable+"="+b.value, execute(t, service, harness.Env{variable: b.value}), service, variable+": ", shown, b.expected, "expected")
	if flag := flagOf(variable); alsoFlag {
		refused(t, flag+"="+b.value, execute(t, service, nil, flag+"="+b.value), service, flag+": ", shown, b.expected, "expected")
	}
}

// refuse shows that the service does not start with these settings.
func (c conflict) refuse(t testing.TB, service, dir string) {
	t.Helper()
	env := harness.Env{}
	for name, value := range c.env {
		env[name] = strings.ReplaceAll(value, "DIR", dir)
	}
	refused(t, fmt.Sprint(c.env), execute(t, service, env), service, append(c.says, c.about, "expected")...)
}

// secretFiles makes the files that rows of badTogether name.
func secretFiles(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"secret": secret + "\n", "empty": "\n", "large": strings.Repeat("x", 2<<20), "noise": "no certificate",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// BadCommandLinesAreRefused shows what is said of a command line that is not valid beyond the values of settings.
func BadCommandLinesAreRefused(t testing.TB, _ harness.Starter) {
	for _, service := range services {
		for _, row := range []struct {
			name       string
			args, says []string
		}{
			{"unknown flag", []string{"--brokers=127.0.0.1:9092"}, []string{"--brokers", "see --help"}},
			{"unknown short flag", []string{"-x"}, []string{"-x", "see --help"}},
			{"argument", []string{"127.0.0.1:9092"}, []string{"127.0.0.1:9092"}},
			{"argument after flags", []string{"--log-level=debug", "--", "more"}, []string{"more"}},
			{"flag without its value", []string{"--broker"}, []string{"--broker"}},
			{"flag with an empty value", []string{"--broker="}, []string{"--broker: ", `""`, "expected"}},
			{"secret", []string{"--kafka-sasl-password=" + secret}, []string{"--kafka-sasl-password", "KAFKA_SASL_PASSWORD", "--kafka-sasl-password-file"}},
			{"secret apart", []string{"--kafka-sasl-password", secret}, []string{"--kafka-sasl-password"}},
		} {
			refused(t, row.name, execute(t, service, nil, row.args...), service, row.says...)
		}
		if service != "generator" {
			refused(t, "empty name of a group", execute(t, service, nil, "--kafka-group="), service, "--kafka-group: ", `""`, "expected")
		}
		refused(t, "bad port of Marathon", execute(t, service, harness.Env{"PORT0": "http"}), service, "PORT0", "http")
		refused(t, "flag before variable", execute(t, service, harness.Env{"BROKER": "127.0.0.1:1"}, "--broker=x"), service, "--broker")
	}
}

// documented is what --help says of a setting.
type documented struct{ flag, variable, def string }

var (
	helpLine   = regexp.MustCompile(`(?m)^  --([a-z0-9-]+)(?:\[=.+\]|=\S+), ([A-Z0-9_]+) \((.*)\)$`)
	helpSecret = regexp.MustCompile(`(?m)^  ([A-Z0-9_]+), or in a file: --([a-z0-9-]+)=FILE, ([A-Z0-9_]+) \(no default\)$`)
	helpFirst  = regexp.MustCompile(`(?m)^  \S.*$`)
)

// settingsOf reads the settings of a service from its --help.
func settingsOf(t testing.TB, service string) []documented {
	t.Helper()
	got := execute(t, service, nil, "--help")
	if got.status != 0 || got.stderr != "" {
		t.Fatalf("%s --help: exit status %d, stderr %q; want 0 and nothing", service, got.status, got.stderr)
	}
	var found []documented
	for _, m := range helpLine.FindAllStringSubmatch(got.stdout, -1) {
		found = append(found, documented{m[1], m[2], m[3]})
	}
	for _, m := range helpSecret.FindAllStringSubmatch(got.stdout, -1) {
		found = append(found, documented{m[2], m[3], ""})
		if m[3] != m[1]+"_FILE" {
			t.Errorf("%s --help: the file of %s is %s", service, m[1], m[3])
		}
	}
	const others = 2 // --help and --version
	if lines := len(helpFirst.FindAllString(got.stdout, -1)); len(found) == 0 || len(found)+others != lines {
		t.Fatalf("%s --help lists %d settings in %d lines; each line but %d has to name flag, variable and default:\n%s", service, len(found), lines, others, got.stdout)
	}
	return found
}

// HelpNamesEverySetting shows that --help and --version work with settings that are not valid, and
// that --help names flag, variable and default of each setting, the public ones among them.
func HelpNamesEverySetting(t testing.TB, _ harness.Starter) {
	for _, service := range services {
		defaults := map[string]string{}
		for _, s := range settingsOf(t, service) {
			if want := flagOf(s.variable); "--"+s.flag != want {
				t.Errorf("%s: the flag of %s is --%s, want %s", service, s.variable, s.flag, want)
			}
			defaults[s.variable] = s.def
		}
		for variable, want := range publicDefaults[service] {
			if got, ok := defaults[variable]; !ok || !strings.HasPrefix(got+";", want+";") {
				t.Errorf("%s --help says %q of %s, want %q", service, got, variable, want)
			}
		}
		for _, args := range [][]string{{"--help"}, {"-h"}, {"--version"}} {
			got := execute(t, service, harness.Env{"BROKER": "none", "LOG_LEVEL": "none"}, args...)
			if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, service) {
				t.Errorf("%s %v: exit status %d, stdout %q, stderr %q; want 0, its name, and nothing", service, args, got.status, got.stdout, got.stderr)
			}
		}
	}
}

// EmptyVariablesAreUnset shows that variables that are set to nothing change nothing.
func EmptyVariablesAreUnset(t testing.TB, _ harness.Starter) {
	for _, service := range services {
		given := nowhere(service)
		empty := harness.Env{"PORT0": ""}
		for _, s := range settingsOf(t, service) {
			empty[s.variable] = ""
			empty[strings.TrimSuffix(s.variable, "_FILE")] = "" // the variable of a secret
		}
		maps.Copy(empty, given)
		want, got := started(t, service, given), started(t, service, empty)
		if got != want {
			t.Errorf("%s with empty variables logs %s, want %s", service, got, want)
		}
	}
}

// nowhere are addresses at which nobody listens.
func nowhere(service string) harness.Env {
	env := harness.Env{"BROKER": "127.0.0.1:1"}
	if service == ingest {
		env["INFLUX_API"] = "http://127.0.0.1:1"
	}
	return env
}

// started returns what a service logs of its settings.
func started(t testing.TB, service string, env harness.Env) string {
	t.Helper()
	p := harness.Start(t, service, env, harness.Options{})
	p.URL()
	term(t, p)
	at := slices.IndexFunc(p.Log(), func(line string) bool { return strings.Contains(line, "msg=starting") })
	if at < 0 {
		t.Fatalf("%v has not logged with which settings it starts", p)
	}
	_, settings, _ := strings.Cut(p.Log()[at], "msg=starting")
	return settings
}

// SecretsStaySecret shows that passwords are in no log, on no page and in no process list.
func SecretsStaySecret(t testing.TB, _ harness.Starter) {
	dir := secretFiles(t)
	for _, service := range services {
		for _, password := range []harness.Env{
			{"KAFKA_SASL_PASSWORD": secret},
			{"KAFKA_SASL_PASSWORD_FILE": filepath.Join(dir, "secret")},
		} {
			env := harness.Env{"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USER": "somebody", "LOG_LEVEL": "trace"}
			if service == ingest {
				env["INFLUX_USER"], env["INFLUX_PASSWORD"] = "somebody", secret
			}
			maps.Copy(env, nowhere(service))
			maps.Copy(env, password)
			p := harness.Start(t, service, env, harness.Options{})
			p.AwaitLog("127.0.0.1:1")
			for _, page := range []string{"/", "/health", "/ready", "/metrics"} {
				if status, body := p.Get(page); status == 0 || strings.Contains(body, secret) {
					t.Errorf("%v: %s answers %d: %s", p, page, status, body)
				}
			}
			term(t, p)
			if strings.Contains(strings.Join(p.Log(), "\n"), secret) {
				t.Errorf("%v logs a password", p)
			}
		}
	}
}
