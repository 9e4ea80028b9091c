package realkafka

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// archiving is held while an archive is looked for or made: of those that want the same one, one makes it.
var archiving sync.Mutex

// archive makes the archive of classes beside the library, where it is not there yet, and has the installation use it:
// the JVM maps it into memory instead of reading, checking and linking some thousand classes, which takes a start half of
// its processor time. An archive that does not fit the JVM is left alone by it.
func (i *installation) archive(ctx context.Context) error {
	archiving.Lock()
	defer archiving.Unlock()
	jvm, err := fingerprint(i.java)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("%s-%s.jsa", i.library, jvm)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = i.makeArchive(ctx, path)
		if err != nil {
			return fmt.Errorf("make an archive of the classes of %s: %w", i.generation, err)
		}
	} else if err != nil {
		return err
	}
	i.jvm = append(i.jvm, "-XX:SharedArchiveFile="+path)
	return nil
}

// makeArchive has a broker start, and write an archive of what it has loaded when it ends.
func (i *installation) makeArchive(ctx context.Context, path string) error {
	partial, err := os.MkdirTemp(filepath.Dir(path), "partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial) //nolint:errcheck // what is left of it is ignored, and removed by `make clean`
	made := filepath.Join(partial, "classes.jsa")
	writing := *i
	writing.jvm = slices.Concat(i.jvm, []string{"-XX:ArchiveClassesAtExit=" + made})
	c, err := newCluster(ctx, Options{Generation: i.generation}, writing)
	if err == nil {
		err = c.Up(ctx)
	}
	if err == nil {
		err = c.Stop()
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	return os.Rename(made, path)
}

// fingerprint tells one JVM from another, and from itself after an upgrade.
func fingerprint(java string) (string, error) {
	path, err := filepath.EvalSymlinks(java)
	if err != nil {
		return "", err
	}
	file, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Append(nil, path, file.Size(), file.ModTime().UnixNano()))
	return fmt.Sprintf("%x", sum[:6]), nil
}
