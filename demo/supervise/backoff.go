package supervise

import "time"

// How Marathon paces the restarts of an app by default: the first after a second, each further one after
// a pause that is 15 % longer.
const (
	firstPause = time.Second
	factor     = 1.15
	// Marathon's longest pause is five minutes; somebody who watches is not to wait so long.
	longestPause = 15 * time.Second
	// A life that was this long ends the series.
	goodLife = 10 * time.Second
)

// backoff says how long to wait between the end of a life and the next one.
type backoff struct{ pause time.Duration }

// after returns the pause after a life.
func (b *backoff) after(life time.Duration) time.Duration {
	if b.pause == 0 || life >= goodLife {
		b.pause = firstPause
		return b.pause
	}
	b.pause = min(longestPause, time.Duration(float64(b.pause)*factor))
	return b.pause
}
