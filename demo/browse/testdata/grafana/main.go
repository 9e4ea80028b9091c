// A stand-in for Grafana's executable: it tells the version of the file beside it, answers /api/health, and writes
// down how it was started.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	version, err := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), "VERSION"))
	if err != nil {
		panic(err)
	}
	words := strings.Fields(string(version))
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("Version", words[0], "(commit: 844bdc53a, branch: HEAD)")
		return
	}
	if len(words) > 1 {
		fmt.Println("lvl=eror msg=\"the database is locked\"")
		os.Exit(3)
	}
	noted, err := json.Marshal(map[string][]string{"args": os.Args[1:], "environment": os.Environ()})
	if err != nil {
		panic(err)
	}
	if err := os.MkdirAll(os.Getenv("GF_PATHS_DATA"), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("GF_PATHS_DATA"), "noted.json"), noted, 0o644); err != nil {
		panic(err)
	}
	http.HandleFunc("/api/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "{}") })
	panic(http.ListenAndServe(net.JoinHostPort(os.Getenv("GF_SERVER_HTTP_ADDR"), os.Getenv("GF_SERVER_HTTP_PORT")), nil))
}
