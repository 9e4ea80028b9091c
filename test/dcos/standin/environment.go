package standin

import (
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// environment is what Marathon and Mesos give to a task, and nothing else.
func (c *Cluster) environment(a *app, t *task) []string {
	dir := c.sandbox(t.id)
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOST": c.options.Address,
		"MARATHON_APP_ID": a.id, "MARATHON_APP_VERSION": a.version, "MARATHON_APP_LABELS": strings.Join(slices.Sorted(maps.Keys(a.def.Labels)), " "),
		"MARATHON_APP_RESOURCE_CPUS": fmt.Sprint(a.def.CPUs), "MARATHON_APP_RESOURCE_MEM": fmt.Sprint(a.def.Mem),
		"MARATHON_APP_RESOURCE_DISK": fmt.Sprint(a.def.Disk), "MARATHON_APP_RESOURCE_GPUS": "0",
		"MESOS_TASK_ID": t.id, "MESOS_SANDBOX": dir, "MESOS_DIRECTORY": dir, "MESOS_CONTAINER_NAME": "mesos-" + t.id,
	}
	var ports []string
	for i, port := range t.ports {
		ports = append(ports, strconv.Itoa(port))
		env["PORT"+strconv.Itoa(i)] = strconv.Itoa(port)
		if name := a.def.Ports[i].Name; name != "" {
			env["PORT_"+strings.ToUpper(name)] = strconv.Itoa(port)
		}
	}
	if len(ports) > 0 {
		env["PORT"], env["PORTS"] = ports[0], strings.Join(ports, ",")
	}
	for name, value := range a.def.Labels {
		env["MARATHON_APP_LABEL_"+strings.ToUpper(name)] = value
	}
	maps.Copy(env, a.def.Env)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// freePort returns a port that nobody listens on; 0 if there is none, which the task will say.
func freePort(address string) int {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return 0
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
