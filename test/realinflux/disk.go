package realinflux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"fintrans/test/child"
)

// disk is where the disk of a server of its own is mounted, for nobody but the server.
func (s *Server) disk() string { return filepath.Join(s.dir, "disk") }

// mountDisk mounts it in a namespace that a process of its own keeps, also while the server is away.
func (s *Server) mountDisk(ctx context.Context) error {
	for _, tool := range []string{"unshare", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is missing, with which the server gets a disk of its own (Debian: the package util-linux)", tool)
		}
	}
	mounted := filepath.Join(s.dir, "mounted")
	args := []string{"unshare", "--mount"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	keeper, err := child.Start(child.Command{
		Name: "the keeper of InfluxDB's disk", Path: "/usr/bin/env", Log: s.log(),
		Args: append(args, "sh", "-c", `mount -t tmpfs -o size="$1"m fintrans "$2" && : >"$3" && exec sleep infinity`,
			"sh", strconv.Itoa(s.options.Disk), s.disk(), mounted),
	})
	if err != nil {
		return err
	}
	s.keeper = keeper
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	return keeper.Await(ctx, func(context.Context) error {
		_, err := os.Stat(mounted)
		return err
	})
}

// command is how the server is started.
func (s *Server) command() child.Command {
	args := []string{s.influxd, "run", "-config", s.config()}
	if s.keeper != nil {
		enter := []string{"nsenter", "--target", strconv.Itoa(s.keeper.Pid()), "--mount"}
		if os.Geteuid() != 0 {
			enter = append(enter, "--user", "--preserve-credentials")
		}
		args = slices.Concat(enter, args)
	}
	return child.Command{Name: "influxd", Path: "/usr/bin/env", Args: args, Log: s.log()}
}

// ballast is the file that fills the disk, as this process sees it through the keeper's eyes.
func (s *Server) ballast() string {
	return fmt.Sprintf("/proc/%d/root%s/ballast", s.keeper.Pid(), s.disk())
}

// FillDisk leaves no room on the server's own disk.
func (s *Server) FillDisk() error {
	file, err := os.Create(s.ballast())
	if err != nil {
		return fmt.Errorf("fill the disk of InfluxDB: %w", err)
	}
	defer file.Close()
	for _, size := range []int{64 << 10, 1 << 10, 1} { // to the last byte
		for chunk := make([]byte, size); err == nil; {
			_, err = file.Write(chunk)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("fill the disk of InfluxDB: %w", err)
		}
		err = nil
	}
	return nil
}

// FreeDisk makes room again.
func (s *Server) FreeDisk() error { return os.Remove(s.ballast()) }
