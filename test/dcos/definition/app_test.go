package definition

import (
	"errors"
	"testing"
)

const good = `{"id":"/fintrans/x","cmd":"exec ./x","cpus":0.1,"mem":32,"disk":0,"instances":1,"env":{"A":"1"},
 "fetch":[{"uri":"https://h/x","executable":true}],"portDefinitions":[{"port":0,"protocol":"tcp","name":"http"}],
 "healthChecks":[{"protocol":"HTTP","path":"/health","portIndex":0}]}`

func parse(t *testing.T, over string) (App, error) {
	t.Helper()
	base, err := ParseFields([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := ParseFields([]byte(over))
	if err != nil {
		t.Fatal(err)
	}
	return Parse(fields.Over(base))
}

func TestDefaultsAreMarathons(t *testing.T) {
	app, err := parse(t, `{}`)
	if err != nil {
		t.Fatal(err)
	}
	if app.Upgrade != (Upgrade{1, 1}) || app.Factor != 1.15 || app.LaunchDelay != 3600 || !app.Fetch[0].Extract || app.Checks[0].Interval != 60 {
		t.Errorf("got %+v", app)
	}
}

func TestWhatMarathonRefuses(t *testing.T) {
	for name, test := range map[string]struct{ over, path string }{
		"capital in id":             {`{"id":"/fintrans/X"}`, "/id"},
		"underscore in id":          {`{"id":"/fin_trans/x"}`, "/id"},
		"relative id":               {`{"id":"x"}`, "/id"},
		"no command":                {`{"cmd":""}`, "/cmd"},
		"number as env":             {`{"env":{"A":1}}`, "/env"},
		"number as label":           {`{"labels":{"A":1}}`, "/labels"},
		"unknown field":             {`{"memory":1}`, "/memory"},
		"unknown field of a check":  {`{"healthChecks":[{"path":"/","every":1}]}`, "/every"},
		"unknown field of a fetch":  {`{"fetch":[{"uri":"http://h/x","sha256":"0"}]}`, "/sha256"},
		"read-only field":           {`{"version":"2020-01-01T00:00:00Z"}`, "/version"},
		"check without its port":    {`{"portDefinitions":[]}`, "/healthChecks(0)/portIndex"},
		"check that 1.3 lacks":      {`{"healthChecks":[{"protocol":"MESOS_HTTP"}]}`, "/healthChecks(0)/protocol"},
		"negative memory":           {`{"mem":-1}`, "/mem"},
		"fraction of an instance":   {`{"instances":1.5}`, "/instances"},
		"capacity above one":        {`{"upgradeStrategy":{"minimumHealthCapacity":2}}`, "/upgradeStrategy/minimumHealthCapacity"},
		"capital in a port's name":  {`{"portDefinitions":[{"name":"HTTP"}]}`, "/portDefinitions(0)/name"},
		"port's name there twice":   {`{"portDefinitions":[{"name":"a"},{"name":"a"}]}`, "/portDefinitions(1)/name"},
		"scheme that nobody fetch":  {`{"fetch":[{"uri":"gopher://h/x"}]}`, "/fetch(0)/uri"},
		"backoff that gets shorter": {`{"backoffFactor":0.5}`, "/backoffFactor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, test.over)
			var invalid Invalid
			if !errors.As(err, &invalid) || invalid[0].Path != test.path {
				t.Errorf("got %v, want a violation at %s", err, test.path)
			}
		})
	}
}

func TestPartialUpdateKeepsWhatIsAbsent(t *testing.T) {
	app, err := parse(t, `{"instances":3}`)
	if err != nil {
		t.Fatal(err)
	}
	before, err := parse(t, `{}`)
	if err != nil {
		t.Fatal(err)
	}
	if app.Cmd != before.Cmd || app.Instances != 3 || !app.SameTask(before) {
		t.Errorf("got %+v", app)
	}
	other, err := parse(t, `{"env":{"A":"2"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if other.SameTask(before) {
		t.Error("another environment needs another task")
	}
}
