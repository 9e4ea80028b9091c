// Package peers are the programs of others that ours are measured against: fetched and compiled once, and started.
package peers

import (
	"context"
	"path/filepath"

	"fintrans/bench/measure"
	"fintrans/bench/scene"
	"fintrans/test/realkafka"
)

// java is a Java program of the jars that bench/java/pom.xml names.
func java(ctx context.Context, s *scene.Scene, line func(string), name string, args ...string) (*measure.Process, error) {
	command, library, err := jars(ctx, s)
	if err != nil {
		return nil, err
	}
	return measure.Start(measure.Program{
		Name: name, Path: command, Line: line,
		Args: append([]string{"-cp", filepath.Join(library, "*") + string(filepath.ListSeparator) + classes(s)}, args...),
	})
}

func jars(ctx context.Context, s *scene.Scene) (command, library string, err error) {
	if command, err = realkafka.FindJava(); err != nil {
		return "", "", err
	}
	library, err = realkafka.Jars(ctx, filepath.Join(s.Root, "bench", "java", "pom.xml"), s.Build)
	return command, library, err
}

// classes is the folder of the classes that are compiled here.
func classes(s *scene.Scene) string { return filepath.Join(s.Build, "classes") }
