package show

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal opens a pseudo terminal of 40 columns and 10 lines.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	descriptor := int(master.Fd())
	if err := unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(descriptor, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(descriptor, unix.TIOCSWINSZ, &unix.Winsize{Row: 10, Col: 40}); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal
}

func TestTerminalIsRecognised(t *testing.T) {
	t.Parallel()
	terminal := openTerminal(t)
	for _, test := range []struct {
		name           string
		environ        map[string]string
		redraw, colour bool
	}{
		{"as it is", map[string]string{"TERM": "xterm"}, true, true},
		{"without colours", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, true, false},
		{"an empty NO_COLOR asks for nothing", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true, true},
		{"one that can do nothing", map[string]string{"TERM": "dumb"}, false, false},
	} {
		s := New(terminal, func(name string) (string, bool) { value, ok := test.environ[name]; return value, ok })
		if (s.size != nil) != test.redraw || s.Colour() != test.colour {
			t.Errorf("%s: redraws %v, colours %v, want %v and %v", test.name, s.size != nil, s.Colour(), test.redraw, test.colour)
		}
		if s.size == nil {
			continue
		}
		if width, height := s.size(); width != 40 || height != 10 {
			t.Errorf("%s: %d columns and %d lines, want 40 and 10", test.name, width, height)
		}
	}
}
