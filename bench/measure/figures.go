package measure

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Figures are what one run of a program, or of several instances of it, took.
type Figures struct {
	Records int64
	Elapsed time.Duration
	CPU     time.Duration // of the program's own processes
	Peak    int64         // resident memory in bytes, of all of its processes together
}

// PerSecond returns how many records were dealt with in a second.
func (f Figures) PerSecond() float64 {
	if f.Elapsed <= 0 {
		return 0
	}
	return float64(f.Records) / f.Elapsed.Seconds()
}

// PerMillion returns the seconds of processor time for a million records.
func (f Figures) PerMillion() float64 {
	if f.Records == 0 {
		return 0
	}
	return f.CPU.Seconds() / float64(f.Records) * 1e6
}

const (
	// idleLook is the pause between two looks at a program that has not begun: how exactly the beginning is known.
	idleLook = 5 * time.Millisecond
	// shortestLook and longestLook bound the pauses once it has. They are shorter towards the end, so that the end is
	// known exactly and looking costs little.
	shortestLook = 10 * time.Millisecond
	longestLook  = 250 * time.Millisecond
)

// Progress tells how many records a program has dealt with.
type Progress func(ctx context.Context) (int64, error)

// Run measures processes, together, from the moment at which their progress leaves zero until it is complete, or
// all of them have ended well.
func Run(ctx context.Context, processes []*Process, total int64, progress Progress) (Figures, error) {
	idle, err := look(ctx, processes, progress)
	for err == nil && idle.done == 0 {
		if err = Pause(ctx, idleLook); err != nil {
			break
		}
		var next sight
		if next, err = look(ctx, processes, progress); err == nil && next.done > 0 {
			return finish(ctx, processes, idle, next, total, progress)
		}
		idle = next
	}
	if err == nil {
		err = fmt.Errorf("it had dealt with %d records before it was first looked at", idle.done)
	}
	return Figures{}, processes[0].Failure(fmt.Errorf("wait for its first record: %w", err))
}

// sight is what was seen at one moment.
type sight struct {
	at   time.Time
	cpu  time.Duration
	done int64
}

func finish(ctx context.Context, processes []*Process, start, now sight, total int64, progress Progress) (Figures, error) {
	for now.done < total {
		rate := float64(now.done) / float64(now.at.Sub(start.at))
		remaining := time.Duration(float64(total-now.done) / rate)
		if err := Pause(ctx, min(max(remaining/2, shortestLook), longestLook)); err != nil {
			return Figures{}, processes[0].Failure(fmt.Errorf("after %d of %d records: %w", now.done, total, err))
		}
		next, err := look(ctx, processes, progress)
		if err != nil {
			if ended, ok := allEnded(ctx, processes, total, now); ok {
				now = ended
				break
			}
			return Figures{}, processes[0].Failure(fmt.Errorf("after %d of %d records: %w", now.done, total, err))
		}
		now = next
	}
	figures := Figures{Records: now.done, Elapsed: now.at.Sub(start.at), CPU: now.cpu - start.cpu}
	for _, p := range processes {
		peak, err := p.Peak()
		if err != nil {
			return Figures{}, p.Failure(err)
		}
		figures.Peak += peak
	}
	return figures, nil
}

// allEnded is the sight of processes that have ended well, which is how a program that was given a number of
// records says that it is done. Only the last look before can have been at anything else.
func allEnded(ctx context.Context, processes []*Process, total int64, last sight) (sight, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ended := sight{done: total}
	for _, p := range processes {
		if p.Wait(ctx) != nil {
			return last, false
		}
		cpu, err := p.CPU()
		if err != nil {
			return last, false
		}
		ended.cpu += cpu
		if at := p.EndedAt(); at.After(ended.at) {
			ended.at = at
		}
	}
	return ended, true
}

// look asks for the progress first: what is read after it belongs to a moment not before it.
func look(ctx context.Context, processes []*Process, progress Progress) (sight, error) {
	before := time.Now()
	done, err := progress(ctx)
	if err != nil {
		return sight{}, err
	}
	s := sight{done: done, at: before}
	for _, p := range processes {
		select {
		case <-p.Exited():
			return sight{}, errors.New("it has ended")
		default:
		}
		cpu, err := p.CPU()
		if err != nil {
			return sight{}, err
		}
		s.cpu += cpu
	}
	if done > 0 {
		s.at = time.Now()
	}
	return s, nil
}

// Pause waits for d. Its error is why ctx ended before.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
