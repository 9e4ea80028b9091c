package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// followEvery is the pause between two looks at a file that is followed.
const followEvery = 100 * time.Millisecond

// routeLogs serves what tasks have written, as dcos-log does and, for older clusters, as the agent does.
func (c *Cluster) routeLogs(mux *http.ServeMux) {
	mux.HandleFunc("GET /system/v1/logs/v2/task/{task}/file/{file}", c.serveLog)
	mux.HandleFunc("GET /slave/{agent}/files/read.json", c.serveRead)
	mux.HandleFunc("GET /slave/{agent}/files/read", c.serveRead)
}

func (c *Cluster) serveLog(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	path := filepath.Join(c.sandbox(filepath.Base(r.PathValue("task"))), file)
	if _, err := os.Stat(path); err != nil || file != "stdout" && file != "stderr" || c.before(1, 11) {
		http.NotFound(w, r)
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	start := skipLines(content, r.URL.Query().Get("skip"))
	if r.URL.Query().Get("cursor") != "END" {
		start = 0
	}
	if r.Header.Get("Accept") == "text/event-stream" {
		follow(w, r, path, start)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	if len(content) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = w.Write(content[start:])
}

// skipLines returns where the last lines begin; skip is minus their number.
func skipLines(content []byte, skip string) int {
	lines, err := strconv.Atoi(skip)
	if err != nil || lines >= 0 {
		return len(content)
	}
	at := len(bytes.TrimSuffix(content, []byte("\n")))
	for ; lines < 0 && at > 0; lines++ {
		at = bytes.LastIndexByte(content[:at], '\n')
		if at < 0 {
			return 0
		}
	}
	return at + 1
}

// follow sends each line as an event, until the client goes.
func follow(w http.ResponseWriter, r *http.Request, path string, at int) {
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := w.(http.Flusher)
	flusher.Flush()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		content, err := os.ReadFile(path)
		if err != nil {
			return
		}
		for at < len(content) {
			end := bytes.IndexByte(content[at:], '\n')
			if end < 0 {
				break
			}
			at += end + 1
			fields, err := json.Marshal(object{"fields": object{
				"MESSAGE": string(content[at-end-1 : at-1]), "AGENT_ID": "standin-S0", "EXECUTOR_ID": r.PathValue("task"),
				"FRAMEWORK_ID": marathonID, "CONTAINER_ID": "c", "FILE": filepath.Base(path),
			}})
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", at, fields); err != nil {
				return
			}
		}
		flusher.Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// serveRead is the agent's own way to read a file of a sandbox.
func (c *Cluster) serveRead(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	path := filepath.Clean(query.Get("path"))
	if !strings.HasPrefix(path, filepath.Clean(c.options.Dir)+string(filepath.Separator)) {
		http.NotFound(w, r)
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	offset, length := parseOr(query.Get("offset"), -1), parseOr(query.Get("length"), -1)
	if offset < 0 {
		respond(w, http.StatusOK, object{"data": "", "offset": len(content)})
		return
	}
	offset = min(offset, len(content))
	end := len(content)
	if length >= 0 {
		end = min(end, offset+length)
	}
	respond(w, http.StatusOK, object{"data": string(content[offset:end]), "offset": offset})
}

func parseOr(number string, otherwise int) int {
	n, err := strconv.Atoi(number)
	if err != nil {
		return otherwise
	}
	return n
}
