// Command standin plays a DC/OS cluster on loopback addresses until it is told to end. Its first line on
// stdout is the cluster's URL. It starts itself anew in a mount namespace, where its names resolve.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"fintrans/test/dcos/standin"
)

// inside is set for the program that runs in the mount namespace.
const inside = "FINTRANS_STANDIN_HOSTS"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1) //nolint:forbidigo // the place where this program ends
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("standin", flag.ContinueOnError)
	var options standin.Options
	var installed, misbehave string
	flags.StringVar(&options.Dir, "dir", "", "folder for sandboxes (required)")
	flags.StringVar(&options.Address, "address", "127.0.0.1", "loopback address of the agents")
	flags.StringVar(&options.Version, "version", "2.1.0", "version of DC/OS to play")
	flags.StringVar(&options.Token, "token", "standin-token", "token that clients show; empty is no authentication")
	flags.StringVar(&options.Password, "password", "standin", "password of the user admin")
	flags.Float64Var(&options.CPUs, "cpus", 8, "CPUs of the private agent")
	flags.Float64Var(&options.Mem, "mem", 16*1024, "memory of the private agent in MB")
	flags.BoolVar(&options.NoPublicAgent, "no-public-agent", false, "leave the public agent away")
	flags.BoolVar(&options.HidePublicIP, "hide-public-ip", false, "do not tell the public agent's outside address")
	flags.StringVar(&installed, "installed", "", "packages that are there before, name:version, separated by commas")
	flags.StringVar(&options.Plugin, "plugin", "", "zip with the Go client's core plugin to offer")
	flags.StringVar(&misbehave, "misbehave", "{}", "what goes wrong, as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if options.Dir == "" {
		return errors.New("--dir is missing")
	}
	if err := json.Unmarshal([]byte(misbehave), &options.Misbehaviour); err != nil {
		return fmt.Errorf("--misbehave: %w", err)
	}
	for name := range strings.SplitSeq(installed, ",") {
		if name, version, ok := strings.Cut(name, ":"); ok {
			options.Installed = append(options.Installed, standin.Installed{Name: name, Version: version})
		}
	}
	if options.Hosts = os.Getenv(inside); options.Hosts == "" {
		return enter(options.Dir, args)
	}
	return serve(options)
}

// enter replaces this program by itself in a mount namespace of its own, with a hosts file of its own.
func enter(dir string, args []string) error {
	hosts, err := filepath.Abs(filepath.Join(dir, "hosts"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		return err
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return errors.New("unshare is missing (Debian and Ubuntu package: util-linux)")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	namespace := []string{"unshare", "-m"}
	if os.Geteuid() != 0 {
		namespace = append(namespace, "-r") // needs user namespaces
	}
	const mount = `mount --bind "$0" /etc/hosts && exec "$@" || { ` +
		`echo "standin: no right to mount a hosts file of its own: run it as root, or allow user namespaces" >&2; exit 1; }`
	namespace = append(namespace, "sh", "-c", mount, hosts, self)
	return syscall.Exec(unshare, append(namespace, args...), append(os.Environ(), inside+"="+hosts))
}

func serve(options standin.Options) error {
	cluster, err := standin.Start(options)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if _, err := fmt.Fprintln(os.Stdout, cluster.URL()); err != nil {
		return errors.Join(err, cluster.Close())
	}
	<-signals
	return cluster.Close()
}
