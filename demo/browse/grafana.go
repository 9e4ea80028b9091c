package browse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"fintrans/demo/preview"
)

const (
	// StartTime is what a Grafana may take until it answers; the first start makes its database.
	StartTime = 90 * time.Second
	// stopTime is what it may take for an orderly end.
	stopTime = 5 * time.Second
)

// process is a running Grafana.
type process struct {
	command *exec.Cmd
	exited  chan struct{} // closed when it has ended
	stop    sync.Once
}

// startGrafana starts it with data, log and provisioning in the folder of the options.
func startGrafana(ctx context.Context, e executable, options Options) (*Browser, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := provision(dir, e.kind, options.Influx); err != nil {
		return nil, fmt.Errorf("provision Grafana: %w", err)
	}
	// Grafana opens the port itself. Between the two another program may take it; then Grafana ends and says so.
	listener, notice, err := preview.Listen(ctx, options.Addr)
	if err != nil {
		return nil, fmt.Errorf("a port for Grafana: %w", err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	logFile := filepath.Join(dir, "grafana.log")
	p, err := launch(e, dir, addr, logFile)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", e.path, err)
	}
	if err := p.awaitHealth(ctx, "http://"+addr); err != nil {
		return nil, errors.Join(fmt.Errorf("Grafana %s (%s) %w, its log is %s%s", e.version, e.path, err, logFile, lastLine(logFile)), p.close()) //nolint:staticcheck // ST1005: Grafana is a name
	}
	b := &Browser{URL: "http://" + addr + "/d/fintrans/fintrans", Kind: "Grafana " + e.version, close: p.close}
	if notice != "" {
		b.Notices = append(b.Notices, notice)
	}
	return b, nil
}

// launch starts the process. Its output, which repeats its log, goes to the same file.
func launch(e executable, dir, addr, logFile string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	args := append(append([]string{}, e.args...), "--homepath="+e.home)
	command := exec.Command(e.path, args...) //nolint:noctx // it outlives the call and is ended by close
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), environment(dir, addr)...)
	endWithParent(command)
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // the log tells why it ended
		close(p.exited)
	}()
	return p, nil
}

// environment is Grafana's configuration: everything of its own in the folder, on this machine alone, to be looked
// at without signing in, and without asking the internet for anything.
func environment(dir, addr string) []string {
	host, port, _ := net.SplitHostPort(addr) // of a listener
	return []string{
		"GF_SERVER_HTTP_ADDR=" + host,
		"GF_SERVER_HTTP_PORT=" + port,
		"GF_PATHS_DATA=" + filepath.Join(dir, "data"),
		"GF_PATHS_LOGS=" + filepath.Join(dir, "log"),
		"GF_PATHS_PLUGINS=" + filepath.Join(dir, "plugins"),
		"GF_PATHS_PROVISIONING=" + filepath.Join(dir, "provisioning"),
		"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=" + filepath.Join(dir, "dashboards", "fintrans.json"),
		"GF_DASHBOARDS_MIN_REFRESH_INTERVAL=5s",
		"GF_AUTH_ANONYMOUS_ENABLED=true",
		"GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer",
		"GF_ANALYTICS_REPORTING_ENABLED=false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES=false",
		"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
		"GF_NEWS_NEWS_FEED_ENABLED=false",
		"GF_PLUGINS_PREINSTALL_DISABLED=true",
	}
}

// awaitHealth waits until Grafana answers.
func (p *process) awaitHealth(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, StartTime)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if healthy(ctx, address) {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("ended with %v before it answered", p.command.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("did not answer in time: %w", ctx.Err())
		}
	}
}

func healthy(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/api/health", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// close ends Grafana, kindly first.
func (p *process) close() error {
	p.stop.Do(func() {
		_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended
		limit := time.NewTimer(stopTime)
		defer limit.Stop()
		select {
		case <-p.exited:
		case <-limit.C:
			_ = p.command.Process.Kill()
		}
	})
	<-p.exited
	return nil
}

// lastLine returns the end of a log for a message.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Sprintf(", which ends with %.200q", lines[len(lines)-1])
}
