package service

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTickersTickTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const period = 500 * time.Millisecond
		time.Sleep(123 * time.Millisecond)
		early := NewTicker(period)
		defer early.Stop()
		time.Sleep(200 * time.Millisecond)
		late := NewTicker(period)
		defer late.Stop()
		for range 5 {
			first, second := <-early.C, <-late.C
			if !first.Equal(second) || first.UnixNano()%int64(period) != 0 {
				t.Fatalf("ticks at %v and %v, want the same multiple of %v", first, second, period)
			}
		}
	})
}

func TestTicksThatAreNotTakenAreLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ticker := NewTicker(time.Second)
		time.Sleep(10*time.Second + time.Millisecond)
		<-ticker.C
		select {
		case at := <-ticker.C:
			t.Errorf("a second tick of %v", at)
		default:
		}
		ticker.Stop()
		time.Sleep(5 * time.Second)
		select {
		case at := <-ticker.C:
			t.Errorf("a tick after Stop, at %v", at)
		default:
		}
	})
}
