package service

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := NewThrottle(10 * time.Second)
		want := func(key string, held int, ok bool) {
			t.Helper()
			if gotHeld, got := throttle.Allow(key); got != ok || gotHeld != held {
				t.Errorf("%s: got %d, %t, want %d, %t", key, gotHeld, got, held, ok)
			}
		}
		want("overflow", 0, true)
		want("overflow", 0, false)
		want("negative", 0, true)
		time.Sleep(10*time.Second - 1)
		want("overflow", 0, false)
		time.Sleep(time.Nanosecond)
		want("overflow", 2, true)
		want("overflow", 0, false)
		want("negative", 0, true)
	})
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := NewThrottle(time.Minute)
		for i := range 2 * throttleKeys {
			throttle.Allow(strconv.Itoa(i))
		}
		if got := len(throttle.keys); got != throttleKeys {
			t.Errorf("%d keys, want %d", got, throttleKeys)
		}
		if _, ok := throttle.Allow("one more"); ok {
			t.Error("a key without room has no turn within the period, but was let through")
		}
		time.Sleep(time.Minute)
		if held, ok := throttle.Allow("one more"); !ok || held != 0 {
			t.Errorf("got %d, %t, want room for it after a period", held, ok)
		}
		if got := len(throttle.keys); got != 1 {
			t.Errorf("%d keys, want 1", got)
		}
	})
}

func TestThrottleConcurrently(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := NewThrottle(time.Second)
		var allowed atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 100 {
					if _, ok := throttle.Allow("key"); ok {
						allowed.Add(1)
					}
				}
			})
		}
		group.Wait()
		time.Sleep(time.Second)
		if held, ok := throttle.Allow("key"); !ok || allowed.Load() != 1 || held != 799 {
			t.Errorf("%d let through, %d held back, want 1 and 799", allowed.Load(), held)
		}
	})
}
