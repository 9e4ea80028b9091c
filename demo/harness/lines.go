package harness

import (
	"bufio"
	"io"
	"slices"
	"sync"
)

// lines collects what a process writes, line by line. It is safe for concurrent use.
type lines struct {
	mu      sync.Mutex
	done    []string
	partial string // after the last newline, once the stream has ended
}

func newLines() *lines { return &lines{} }

// readFrom collects until the end of the stream.
func (l *lines) readFrom(r io.Reader) {
	reader := bufio.NewReader(r)
	for {
		line, err := reader.ReadString('\n')
		l.mu.Lock()
		if err == nil {
			l.done = append(l.done, line[:len(line)-1])
		} else {
			l.partial += line
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.done)
}

func (l *lines) from(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.done[n:])
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// rest is what came after the last newline of streams that have ended.
func (l *lines) rest() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.partial
}
