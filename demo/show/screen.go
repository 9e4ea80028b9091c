// Package show is what somebody sees who watches the demo: on a terminal a table that is redrawn in place,
// with all other lines scrolling above it; anywhere else plain lines.
package show

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// Control sequences that every terminal knows which has a cursor.
const (
	up         = "\x1b[%dA\r" // by so many lines, to their beginning
	clearBelow = "\x1b[J"     // from the cursor on
	bold       = "\x1b[1m"
	dim        = "\x1b[2m"
	red        = "\x1b[1;31m"
	green      = "\x1b[1;32m"
	reset      = "\x1b[0m"
)

// Screen takes lines and a table. It is safe for concurrent use.
type Screen struct {
	out    io.Writer
	size   func() (width, height int) // of the terminal; nil where there is none
	colour bool

	mu     sync.Mutex
	table  []string // as it was drawn last
	drawn  int      // lines of it that are on the terminal, below which the cursor is
	failed error
	broken chan struct{} // closed when a write has failed
}

// New makes a screen of a file, which is a terminal or not. environ is os.LookupEnv: on a terminal,
// NO_COLOR asks for no colours and TERM=dumb for plain lines.
func New(out *os.File, environ func(string) (string, bool)) *Screen {
	descriptor := int(out.Fd())
	kind, _ := environ("TERM")
	if !term.IsTerminal(descriptor) || kind == "dumb" {
		return newScreen(out, nil, false)
	}
	size := func() (width, height int) {
		width, height, err := term.GetSize(descriptor)
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	noColour, _ := environ("NO_COLOR")
	return newScreen(out, size, noColour == "")
}

func newScreen(out io.Writer, size func() (int, int), colour bool) *Screen {
	return &Screen{out: out, size: size, colour: colour, broken: make(chan struct{})}
}

// Colour says whether lines may have colours.
func (s *Screen) Colour() bool { return s.colour }

// Broken is closed when nobody takes what is written any more; Err then says why.
func (s *Screen) Broken() <-chan struct{} { return s.broken }

// Err is the error of the first write that failed, or nil.
func (s *Screen) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Line writes a line, which is above the table if there is one.
func (s *Screen) Line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	s.erase(&b)
	b.WriteString(text)
	b.WriteByte('\n')
	s.draw(&b)
	s.write(b.String())
}

// Linef is Line with a format.
func (s *Screen) Linef(format string, args ...any) { s.Line(fmt.Sprintf(format, args...)) }

// Table shows a table instead of the one before. On anything but a terminal it comes after what was
// written last.
func (s *Screen) Table(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	s.erase(&b)
	s.table = lines
	if s.size == nil {
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	s.draw(&b)
	s.write(b.String())
}

// Close leaves the table where it is: what is written from now on comes below, also over the ^C that a
// terminal has put there.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table, s.drawn = nil, 0
	if s.size != nil {
		s.write("\r" + clearBelow)
	}
}

// erase takes the table off a terminal, as far as it has not left it since.
func (s *Screen) erase(b *strings.Builder) {
	if s.drawn == 0 {
		return
	}
	_, height := s.size()
	if lines := min(s.drawn, height-1); lines > 0 {
		fmt.Fprintf(b, up, lines)
	}
	b.WriteString(clearBelow)
	s.drawn = 0
}

// draw puts the table back, cut to the size of the terminal: a line that goes on below, or one that has
// left the terminal at its top, could not be erased.
func (s *Screen) draw(b *strings.Builder) {
	if s.size == nil {
		return
	}
	width, height := s.size()
	for _, line := range s.table[:max(0, min(len(s.table), height-1))] {
		b.WriteString(s.title(cut(line, width)))
		b.WriteByte('\n')
		s.drawn++
	}
}

// title makes the first line of the table stand out.
func (s *Screen) title(line string) string {
	if s.colour && s.drawn == 0 {
		return bold + line + reset
	}
	return line
}

// cut shortens a line to a width.
func cut(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:max(0, width)])
}

func (s *Screen) write(text string) {
	if s.failed != nil || text == "" {
		return
	}
	if _, err := io.WriteString(s.out, text); err != nil {
		s.failed = err
		close(s.broken)
	}
}

// Good gives a text the colour of good news, where there are colours.
func (s *Screen) Good(text string) string { return s.paint(green, text) }

// Bad gives a text the colour of bad news.
func (s *Screen) Bad(text string) string { return s.paint(red, text) }

// Faint makes a text stand back.
func (s *Screen) Faint(text string) string { return s.paint(dim, text) }

func (s *Screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return colour + text + reset
}
