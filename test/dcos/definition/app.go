package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// App is an app definition with the fields that all versions of Marathon from 1.3 on know alike.
type App struct {
	ID          string            `json:"id"`
	Cmd         string            `json:"cmd"`
	CPUs        float64           `json:"cpus"`
	Mem         float64           `json:"mem"`  // in MB
	Disk        float64           `json:"disk"` // in MB
	Instances   int               `json:"instances"`
	Env         map[string]string `json:"env"`
	Labels      map[string]string `json:"labels"`
	Fetch       []Fetch           `json:"fetch"`
	Ports       []Port            `json:"portDefinitions"`
	Required    bool              `json:"requirePorts"`
	Checks      []Check           `json:"healthChecks"`
	Upgrade     Upgrade           `json:"upgradeStrategy"`
	Backoff     float64           `json:"backoffSeconds"`
	Factor      float64           `json:"backoffFactor"`
	LaunchDelay float64           `json:"maxLaunchDelaySeconds"`
	// KillGrace is the time in seconds from SIGTERM to SIGKILL; nil where the definition is silent.
	KillGrace *float64 `json:"taskKillGracePeriodSeconds,omitempty"`
}

// Fetch is a file that the agent downloads before the command starts.
type Fetch struct {
	URI        string `json:"uri"`
	Executable bool   `json:"executable"`
	Extract    bool   `json:"extract"`
	Cache      bool   `json:"cache"`
}

// Port is a port of a task.
type Port struct {
	Port     int               `json:"port"`
	Protocol string            `json:"protocol"`
	Name     string            `json:"name,omitempty"`
	Labels   map[string]string `json:"labels"`
}

// Check is a health check.
type Check struct {
	Protocol    string  `json:"protocol"`
	Path        string  `json:"path"`
	PortIndex   int     `json:"portIndex"`
	Grace       float64 `json:"gracePeriodSeconds"`
	Interval    float64 `json:"intervalSeconds"`
	Timeout     float64 `json:"timeoutSeconds"`
	MaxFailures int     `json:"maxConsecutiveFailures"`
	Ignore1xx   bool    `json:"ignoreHttp1xx"`
}

// Upgrade says how many of the old instances stay healthy and how many more than wanted may run
// while a new definition takes over, as shares of the instances.
type Upgrade struct {
	MinimumHealth float64 `json:"minimumHealthCapacity"`
	OverCapacity  float64 `json:"maximumOverCapacity"`
}

// UnmarshalJSON gives absent fields Marathon's defaults.
func (f *Fetch) UnmarshalJSON(text []byte) error {
	type plain Fetch
	*f = Fetch{Extract: true}
	return strict(text, (*plain)(f))
}

// UnmarshalJSON gives absent fields Marathon's defaults.
func (p *Port) UnmarshalJSON(text []byte) error {
	type plain Port
	*p = Port{Protocol: "tcp"}
	return strict(text, (*plain)(p))
}

// UnmarshalJSON gives absent fields Marathon's defaults.
func (c *Check) UnmarshalJSON(text []byte) error {
	type plain Check
	*c = Check{Protocol: "HTTP", Path: "/", Grace: 300, Interval: 60, Timeout: 20, MaxFailures: 3}
	return strict(text, (*plain)(c))
}

// UnmarshalJSON gives absent fields Marathon's defaults.
func (u *Upgrade) UnmarshalJSON(text []byte) error {
	type plain Upgrade
	*u = Upgrade{1, 1}
	return strict(text, (*plain)(u))
}

// strict decodes and refuses unknown fields.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// Fields are the top-level fields of a definition as they were sent.
type Fields map[string]json.RawMessage

// ParseFields reads a JSON object.
func ParseFields(text []byte) (Fields, error) {
	var fields Fields
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("want a JSON object, not null")
	}
	return fields, nil
}

// Over returns the fields with those of older where they are absent: what a partial update means.
func (f Fields) Over(older Fields) Fields {
	merged := maps.Clone(older)
	if merged == nil {
		merged = Fields{}
	}
	maps.Copy(merged, f)
	return merged
}

// Parse reads and checks a whole definition. The error is an Invalid when Marathon would answer 422.
func Parse(fields Fields) (App, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return App{}, err
	}
	app := App{CPUs: 1, Mem: 128, Instances: 1, Upgrade: Upgrade{1, 1}, Backoff: 1, Factor: 1.15, LaunchDelay: 3600}
	if err := strict(text, &app); err != nil {
		return App{}, decodeFailure(err)
	}
	if wrong := app.check(); len(wrong) > 0 {
		return App{}, Invalid(wrong)
	}
	return app, nil
}

// decodeFailure names the field that could not be read.
func decodeFailure(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return Invalid{{"/" + strings.ReplaceAll(mismatch.Field, ".", "/"), "expected " + mismatch.Type.String() + ", not " + mismatch.Value}}
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return Invalid{{"/" + strings.Trim(name, `"`), "is not a field of all versions of Marathon from 1.3 to 1.10"}}
	}
	return err
}

// SameTask reports whether tasks of one definition serve as tasks of the other: they differ in the number
// of instances alone, and in how to replace and delay them.
func (a App) SameTask(other App) bool {
	reduce := func(app App) string {
		app.Instances, app.Upgrade, app.Backoff, app.Factor, app.LaunchDelay = 0, Upgrade{}, 0, 0, 0
		text, err := json.Marshal(app)
		if err != nil {
			panic(err) // nothing in it can fail
		}
		return string(text)
	}
	return reduce(a) == reduce(other)
}

// Grace is the time from SIGTERM to SIGKILL: that of the definition, else the agent's default.
func (a App) Grace() time.Duration {
	if a.KillGrace == nil {
		return 3 * time.Second
	}
	return Seconds(*a.KillGrace)
}

// Seconds converts a field's value.
func Seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }

// Invalid is what Marathon says of a definition that it refuses.
type Invalid []Violation

// Violation is one of its reasons.
type Violation struct {
	Path    string
	Message string
}

// Error lists all reasons.
func (i Invalid) Error() string {
	var text strings.Builder
	text.WriteString("Object is not valid")
	for _, v := range i {
		fmt.Fprintf(&text, "; %s: %s", v.Path, v.Message)
	}
	return text.String()
}
