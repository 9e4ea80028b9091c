package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Fetch is a file for the sandbox.
type Fetch struct {
	URI        string
	Executable bool
	Extract    bool
}

// fetchLimit is how long one download may take.
const fetchLimit = 2 * time.Minute

// fetchAll downloads the files into dir. There is no checksum: the agent has none either.
func fetchAll(ctx context.Context, dir string, files []Fetch) error {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	for _, file := range files {
		if err := fetch(ctx, dir, file); err != nil {
			return fmt.Errorf("%s: %w", file.URI, err)
		}
	}
	return nil
}

func fetch(ctx context.Context, dir string, file Fetch) error {
	source, err := open(ctx, file.URI)
	if err != nil {
		return err
	}
	defer source.Close()
	content, err := io.ReadAll(source)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if file.Executable {
		mode = 0o755
	}
	target := filepath.Join(dir, base(file.URI))
	if err := write(target, content, mode); err != nil {
		return err
	}
	if file.Extract {
		return extract(ctx, dir, target)
	}
	return nil
}

// write writes a file that may be run next. No other process is started meanwhile: it would have the file open for
// writing until its exec, and what somebody has open for writing cannot be run.
func write(path string, content []byte, mode os.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, mode)
}

// base is the name that the agent gives to the file: the last part of the URI with its query.
func base(uri string) string { return path.Base(uri) }

func open(ctx context.Context, uri string) (io.ReadCloser, error) {
	target, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	switch target.Scheme {
	case "file":
		return os.Open(target.Path)
	case "http", "https":
	default:
		return nil, fmt.Errorf("the stand-in does not fetch by %s", target.Scheme)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, fmt.Errorf("Error downloading resource, received HTTP return code %d", answer.StatusCode) //nolint:staticcheck // Mesos's own words
	}
	return answer.Body, nil
}

// extract unpacks the archives that the agent knows by their names, except zip.
func extract(ctx context.Context, dir, archive string) error {
	for _, ending := range []string{".tar", ".tar.gz", ".tgz"} {
		if strings.HasSuffix(archive, ending) {
			output, err := exec.CommandContext(ctx, "tar", "-x", "-C", dir, "-f", archive).CombinedOutput()
			if err != nil {
				return fmt.Errorf("extract %s: %w: %s", archive, err, output)
			}
		}
	}
	return nil
}
