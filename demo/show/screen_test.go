package show

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

// terminal is a screen of so many lines that understands what a Screen writes. Each write must leave it in
// a state that is fit to be seen.
type terminal struct {
	t             *testing.T
	width, height int
	lines         []string // all that were ever there; the last height of them can be reached
	row           int      // of the cursor, an index into lines
}

func (v *terminal) Write(p []byte) (int, error) {
	for rest := string(p); rest != ""; {
		rest = v.step(rest)
	}
	return len(p), nil
}

func (v *terminal) step(text string) (rest string) {
	for len(v.lines) <= v.row {
		v.lines = append(v.lines, "")
	}
	switch {
	case text[0] == '\r': // the cursor is at the beginning of a line already
		return text[1:]
	case strings.HasPrefix(text, "\x1b[J"):
		v.lines = append(v.lines[:v.row], "")
		return text[3:]
	case strings.HasPrefix(text, "\x1b["):
		number, after, ok := strings.Cut(text[2:], "A\r")
		if !ok || len(number) != 1 {
			v.t.Fatalf("not understood: %q", text)
		}
		v.row -= int(number[0] - '0')
		if top := max(0, len(v.lines)-v.height); v.row < top {
			v.t.Fatalf("the cursor goes to line %d, above the top at %d", v.row, top)
		}
		return after
	}
	line, after, ok := strings.Cut(text, "\n")
	if !ok || strings.Contains(line, "\x1b") {
		v.t.Fatalf("a line without its end: %q", text)
	}
	for len(line) > v.width { // it goes on below
		v.lines[v.row] = line[:v.width]
		line = line[v.width:]
		v.lines, v.row = append(v.lines, ""), v.row+1
	}
	v.lines[v.row] = line
	v.row++
	return after
}

func (v *terminal) text() []string {
	for len(v.lines) > 0 && v.lines[len(v.lines)-1] == "" {
		v.lines = v.lines[:len(v.lines)-1]
	}
	return v.lines
}

func TestTableStaysBelowTheLines(t *testing.T) {
	t.Parallel()
	v := &terminal{t: t, width: 20, height: 5}
	s := newScreen(v, func() (int, int) { return v.width, v.height }, false)
	s.Line("start")
	s.Table([]string{"title 1", "a row"})
	s.Line("an alert")
	s.Line("an alert that is longer than the terminal is wide")
	s.Table([]string{"title 2", "a row that is longer than the terminal", "last"})
	s.Line("one more")
	want := []string{
		"start", "an alert", "an alert that is lon", "ger than the termina", "l is wide", "one more",
		"title 2", "a row that is longer", "last",
	}
	if got := v.text(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	v.height = 3 // somebody makes the window smaller
	s.Line("small")
	s.Line("smaller")
	if got, want := v.text()[len(v.text())-3:], []string{"smaller", "title 2", "a row that is longer"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Close()
	s.Line("the end")
	if got, want := v.text()[len(v.text())-3:], []string{"title 2", "a row that is longer", "the end"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	s := newScreen(&b, nil, false)
	s.Line("start")
	s.Table([]string{"title", "row"})
	s.Linef("alert %d", 1)
	s.Close()
	s.Line(s.Good("good") + s.Bad("bad") + s.Faint("faint"))
	if got, want := b.String(), "start\ntitle\nrow\nalert 1\ngoodbadfaint\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	s := newScreen(&b, func() (int, int) { return 80, 25 }, true)
	s.Line(s.Good("good") + s.Bad("bad"))
	s.Table([]string{"title", "row"})
	if got, want := b.String(), "\x1b[1;32mgood\x1b[0m\x1b[1;31mbad\x1b[0m\n\x1b[1mtitle\x1b[0m\nrow\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if s := New(file, os.LookupEnv); s.size != nil || s.Colour() {
		t.Error("a file is taken for a terminal")
	}
}

// gone is a pipe that nobody reads any more.
type gone struct{ writes int }

var errGone = errors.New("broken pipe")

func (g *gone) Write([]byte) (int, error) { g.writes++; return 0, errGone }

func TestNobodyReads(t *testing.T) {
	t.Parallel()
	g := &gone{}
	s := newScreen(g, nil, false)
	select {
	case <-s.Broken():
		t.Fatal("broken before anything was written")
	default:
	}
	s.Line("one")
	s.Line("two")
	<-s.Broken()
	if !errors.Is(s.Err(), errGone) || g.writes != 1 {
		t.Errorf("error %v after %d writes, want %v after one", s.Err(), g.writes, errGone)
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	got := Columns([][]string{{"city", "n", "sum"}, {"SF", "1,000", "5"}, {"Tokyo", "1"}})
	want := []string{"city       n  sum", "SF     1,000    5", "Tokyo      1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := Number(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
