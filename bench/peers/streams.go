package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"fintrans/bench/measure"
	"fintrans/bench/scene"
)

// Streams is the Kafka Streams application of bench/java.
type Streams struct {
	*measure.Process
	read  atomic.Int64
	state string
}

// StartStreams compiles the application and starts it, with a state of its own and half a GB of heap.
func StartStreams(ctx context.Context, s *scene.Scene, broker string) (*Streams, error) {
	if err := compileStreams(ctx, s); err != nil {
		return nil, err
	}
	app := &Streams{}
	var err error
	if app.state, err = os.MkdirTemp(s.Binaries, "streams-"); err != nil {
		return nil, err
	}
	app.Process, err = java(ctx, s, app.said, "Kafka Streams", "-Xmx512m", "PairSums", broker, s.Name("streams"), app.state)
	return app, err
}

func (a *Streams) said(line string) {
	if text, found := strings.CutPrefix(line, "read "); found {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			a.read.Store(n)
		}
	}
}

// Progress is how many records it has dealt with.
func (a *Streams) Progress(context.Context) (int64, error) { return a.read.Load(), nil }

// End ends it and removes its state.
func (a *Streams) End() {
	a.Kill()
	_ = os.RemoveAll(a.state) // in a folder that is removed in the end
}

func compileStreams(ctx context.Context, s *scene.Scene) error {
	_, library, err := jars(ctx, s)
	if err != nil {
		return err
	}
	javac, err := exec.LookPath("javac")
	if home := os.Getenv("JAVA_HOME"); home != "" {
		javac, err = filepath.Join(home, "bin", "javac"), nil
	}
	if err != nil {
		return errors.New("javac compiles the Kafka Streams application and is missing: install a JDK (Debian: the package openjdk-17-jdk-headless), or set JAVA_HOME")
	}
	return scene.Run(ctx, s.Root, nil, javac, "-d", classes(s), "-cp", filepath.Join(library, "*"),
		filepath.Join("bench", "java", "PairSums.java"))
}
