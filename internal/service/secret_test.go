package service

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const password = "hunter2"

func TestSecretSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", password)
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"none", nil, nil, ""},
		{"variable", nil, []string{"INFLUX_PASSWORD=" + password}, password},
		{"file by variable", nil, []string{"INFLUX_PASSWORD_FILE=" + plain}, password},
		{"file by flag", []string{"--influx-password-file", plain}, nil, password},
		{"flag over variable", []string{"--influx-password-file=" + plain}, []string{"INFLUX_PASSWORD_FILE=/nowhere"}, password},
		{"newline at the end", []string{"--influx-password-file", file("newline", password+"\n")}, nil, password},
		{"Windows newline at the end", []string{"--influx-password-file", file("crlf", password+"\r\n")}, nil, password},
		{"one newline only is cut", []string{"--influx-password-file", file("two", "a\nb\n\n")}, nil, "a\nb\n"},
		{"empty variables", nil, []string{"INFLUX_PASSWORD=", "INFLUX_PASSWORD_FILE="}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, status, stdout, stderr := runSample(tt.args, environ(tt.env...))
			if status != ExitOK || got.Password.Reveal() != tt.want || got.Password.IsSet() != (tt.want != "") {
				t.Errorf("status %d, got %q, want %q; stderr %s", status, got.Password.Reveal(), tt.want, stderr)
			}
			if strings.Contains(stdout+stderr, password) {
				t.Errorf("the secret is printed: %s%s", stdout, stderr)
			}
		})
	}
}

func TestInvalidSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	large := filepath.Join(dir, "large")
	for path, size := range map[string]int{empty: 0, large: secretLimit + 1} {
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const hint = "a secret is not taken from the command line, where process lists show it; " +
		"expected the variable INFLUX_PASSWORD or a file named by --influx-password-file"
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"flag", []string{"--influx-password=" + password}, nil, "--influx-password: " + hint},
		{"flag and argument", []string{"--influx-password", password}, nil, "--influx-password: " + hint},
		{"both", []string{"--influx-password-file=" + empty}, []string{"INFLUX_PASSWORD=" + password},
			"--influx-password-file: " + fmt.Sprintf("%q", empty) + " but INFLUX_PASSWORD is set too; expected one of them"},
		{"missing file", []string{"--influx-password-file=/nowhere"}, nil,
			`--influx-password-file: "/nowhere" cannot be read (no such file or directory); expected a file that holds the secret`},
		{"missing file by variable", nil, []string{"INFLUX_PASSWORD_FILE=/nowhere"},
			`INFLUX_PASSWORD_FILE: "/nowhere" cannot be read (no such file or directory); expected a file that holds the secret`},
		{"directory", nil, []string{"INFLUX_PASSWORD_FILE=" + dir},
			fmt.Sprintf("INFLUX_PASSWORD_FILE: %s cannot be read (is a directory); expected a file that holds the secret", quote(dir))},
		{"empty file", nil, []string{"INFLUX_PASSWORD_FILE=" + empty},
			fmt.Sprintf("INFLUX_PASSWORD_FILE: %s is empty; expected a file that holds the secret", quote(empty))},
		{"large file", nil, []string{"INFLUX_PASSWORD_FILE=" + large},
			fmt.Sprintf("INFLUX_PASSWORD_FILE: %s is too large for a secret; expected a file that holds the secret", quote(large))},
		{"flag without value", []string{"--influx-password-file"}, nil, "--influx-password-file: has no value; expected --influx-password-file=FILE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantUsageError(t, tt.args, environ(tt.env...), tt.want)
		})
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	secret := NewSecret(password)
	type holder struct {
		Exported   Secret
		unexported Secret
		pointer    *Secret
	}
	values := map[string]any{
		"value": secret, "pointer": &secret, "slice": []Secret{secret}, "map": map[Secret]Secret{secret: secret},
		"struct": holder{secret, secret, &secret}, "pointer to struct": &holder{secret, secret, &secret},
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
				printed := fmt.Sprintf(verb, v)
				if strings.Contains(printed, password) || strings.Contains(strings.ToLower(printed), fmt.Sprintf("%x", password)) {
					t.Errorf("%s prints the secret: %s", verb, printed)
				}
			}
		})
	}
	encoded, err := json.Marshal(holder{Exported: secret})
	if want := `{"Exported":"********"}`; err != nil || string(encoded) != want {
		t.Errorf("got %s, %v, want %s", encoded, err, want)
	}
	for _, printed := range []string{secret.String(), secret.GoString(), fmt.Sprintf("%x", secret)} {
		if printed != "********" {
			t.Errorf("got %q", printed)
		}
	}
	if got := (Secret{}).String(); got != "" {
		t.Errorf("a secret that is not set prints %q", got)
	}
}
