package child

import (
	"bytes"
	"fmt"
	"os"
)

// tailLines is how much of a log an error shows.
const tailLines = 40

// Tail returns the last lines of a log under a heading that names the file.
func Tail(path string) string {
	log, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	lines := bytes.SplitAfter(log, []byte("\n"))
	lines = lines[max(0, len(lines)-1-tailLines):]
	return fmt.Sprintf("--- the end of %s\n%s---", path, bytes.Join(lines, nil))
}
