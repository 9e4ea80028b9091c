package definition

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	idPattern   = regexp.MustCompile(`^(/[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
	portPattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// violations collects reasons.
type violations []Violation

func (v *violations) unless(ok bool, path, format string, args ...any) {
	if !ok {
		*v = append(*v, Violation{path, fmt.Sprintf(format, args...)})
	}
}

// check returns why Marathon would refuse the definition.
func (a App) check() violations {
	var v violations
	v.unless(idPattern.MatchString(a.ID), "/id", "%q must consist of segments of a-z, 0-9 and hyphens, with a slash before each", a.ID)
	v.unless(strings.TrimSpace(a.Cmd) != "", "/cmd", "must not be empty")
	for path, value := range map[string]float64{"/cpus": a.CPUs, "/mem": a.Mem, "/disk": a.Disk, "/backoffSeconds": a.Backoff, "/maxLaunchDelaySeconds": a.LaunchDelay} {
		v.unless(value >= 0, path, "%v is less than 0", value)
	}
	v.unless(a.Instances >= 0, "/instances", "%d is less than 0", a.Instances)
	v.unless(a.Factor >= 1, "/backoffFactor", "%v is less than 1", a.Factor)
	v.unless(a.KillGrace == nil || *a.KillGrace >= 0, "/taskKillGracePeriodSeconds", "must be at least 0")
	v.unless(share(a.Upgrade.MinimumHealth), "/upgradeStrategy/minimumHealthCapacity", "must be from 0 to 1")
	v.unless(share(a.Upgrade.OverCapacity), "/upgradeStrategy/maximumOverCapacity", "must be from 0 to 1")
	a.checkFetch(&v)
	a.checkPorts(&v)
	a.checkChecks(&v)
	return v
}

func share(value float64) bool { return value >= 0 && value <= 1 }

func (a App) checkFetch(v *violations) {
	for i, fetch := range a.Fetch {
		path := fmt.Sprintf("/fetch(%d)/uri", i)
		target, err := url.Parse(fetch.URI)
		if err != nil {
			v.unless(false, path, "%v", err)
			continue
		}
		v.unless(slices.Contains([]string{"http", "https", "ftp", "hdfs", "file"}, target.Scheme), path, "scheme of %q is not supported", fetch.URI)
	}
}

func (a App) checkPorts(v *violations) {
	names := map[string]bool{}
	for i, port := range a.Ports {
		path := fmt.Sprintf("/portDefinitions(%d)", i)
		v.unless(port.Port >= 0 && port.Port <= 65535, path+"/port", "%d is not a port", port.Port)
		v.unless(slices.Contains([]string{"tcp", "udp", "udp,tcp"}, port.Protocol), path+"/protocol", "%q is not supported", port.Protocol)
		if port.Name == "" {
			continue
		}
		v.unless(portPattern.MatchString(port.Name), path+"/name", "%q must match %s", port.Name, portPattern)
		v.unless(!names[port.Name], path+"/name", "%q is there twice", port.Name)
		names[port.Name] = true
	}
}

func (a App) checkChecks(v *violations) {
	for i, check := range a.Checks {
		path := fmt.Sprintf("/healthChecks(%d)", i)
		v.unless(check.Protocol == "HTTP", path+"/protocol", "%q is not known to all versions of Marathon from 1.3 on", check.Protocol)
		v.unless(strings.HasPrefix(check.Path, "/"), path+"/path", "%q must begin with a slash", check.Path)
		v.unless(check.PortIndex >= 0 && check.PortIndex < len(a.Ports), path+"/portIndex", "there is no port %d", check.PortIndex)
		v.unless(check.Interval > 0 && check.Timeout > 0 && check.Grace >= 0, path, "times must be positive")
		v.unless(check.MaxFailures >= 0, path+"/maxConsecutiveFailures", "must be at least 0")
	}
}
