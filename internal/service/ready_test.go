package service

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	var ready Readiness
	want := func(lines ...string) {
		t.Helper()
		if got := ready.Reasons(); !slices.Equal(got, lines) {
			t.Errorf("got %q, want %q", got, lines)
		}
	}
	want("start: not all is set up yet")
	ready.Set("broker", "none was reached yet")
	topics := "Tokyo is missing"
	ready.Check("topics", func() string { return topics })
	ready.Set("sink", "")
	want("broker: none was reached yet", "topics: Tokyo is missing")
	ready.Set("sink", "refused:\nno route")
	ready.Set("broker", "")
	want("topics: Tokyo is missing", "sink: refused: no route")
	topics = ""
	want("sink: refused: no route")
	ready.Check("sink", func() string { ready.Set("other", ""); return "" }) // a check may use the Readiness
	want()
}

func TestCondition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := NewCondition(30 * time.Second)
		want := func(reason string) {
			t.Helper()
			if got := refused.Reason(); got != reason {
				t.Errorf("got %q, want %q", got, reason)
			}
		}
		want("")
		refused.Fail("status 503")
		want("")
		time.Sleep(30*time.Second - 1)
		want("")
		time.Sleep(time.Nanosecond)
		want("status 503 (for 30s)")
		refused.Fail("status 401") // goes on: the latest reason, since the first
		time.Sleep(5 * time.Second)
		want("status 401 (for 35s)")
		refused.Clear()
		want("")
		refused.Fail("status 503")
		time.Sleep(29 * time.Second)
		want("")
	})
}
