package scene

import (
	"reflect"
	"testing"
)

func TestFirstRows(t *testing.T) {
	t.Parallel()
	got, err := firstRows([]byte(`{"results":[{"statement_id":0,"series":[
		{"name":"a","columns":["time","n"],"values":[["x",3],["y",4]]},{"name":"b","columns":["n"],"values":[]}]}]}`))
	if want := []map[string]any{{"time": "x", "n": 3.0}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	for _, text := range []string{`{"error":"no"}`, `{"results":[{"error":"no"}]}`, `no`} {
		if got, err := firstRows([]byte(text)); err == nil {
			t.Errorf("%s gives %v, want an error", text, got)
		}
	}
}
