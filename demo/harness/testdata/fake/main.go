// Command fake behaves towards the harness as a service does.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	for line := range strings.FieldsSeq(os.Getenv("LINES")) {
		fmt.Println(line)
	}
	many, _ := strconv.Atoi(os.Getenv("MANY"))
	for range many {
		fmt.Println("x")
	}
	for _, variable := range os.Environ() {
		fmt.Fprintln(os.Stderr, "level=info msg=variable "+variable)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "time=\"now\" level=info msg=listening listen=%q\n", listener.Addr())
	http.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "# HELP bad_total Bad.\nbad_total{topic=\"SF\",reason=\"a \\\"b\\\"\"} 2\nbad_total{topic=\"NYC\",reason=\"a \\\"b\\\"\"} 3e3\nup 1\n")
	})
	go func() { _ = http.Serve(listener, nil) }()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	fmt.Println("terminated")
	os.Exit(3)
}
