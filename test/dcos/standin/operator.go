package standin

import (
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// The calls and answers of the operator API that the Go client makes, by their numbers in Mesos's master.proto.
const (
	getAgents     = 10
	getFrameworks = 11

	agentsAnswered     = 9
	frameworksAnswered = 10
)

// serveOperator answers in protobuf.
func (c *Cluster) serveOperator(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "want application/x-protobuf", http.StatusUnsupportedMediaType)
		return
	}
	field, kind, n := protowire.ConsumeTag(body)
	if n < 0 || field != 1 || kind != protowire.VarintType {
		http.Error(w, "want a call with its type", http.StatusBadRequest)
		return
	}
	call, _ := protowire.ConsumeVarint(body[n:])
	var answer []byte
	switch call {
	case getAgents:
		answer = c.agentsAnswer()
	case getFrameworks:
		answer = c.frameworksAnswer()
	default:
		http.Error(w, "the stand-in does not know this call", http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer) // a client that has gone needs no answer
}

// message appends a field that is a message.
func message(to []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), content)
}

func text(to []byte, field protowire.Number, content string) []byte {
	return message(to, field, []byte(content))
}

func integer(to []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), value)
}

func (c *Cluster) agentsAnswer() []byte {
	var all []byte
	for _, a := range c.agents() {
		info := message(text(nil, 1, a.hostname), 6, text(nil, 1, a.id))
		agent := message(nil, 1, info)
		agent = integer(agent, 2, 1) // active
		agent = text(agent, 3, "1.9.0")
		agent = text(agent, 4, "slave(1)@"+a.hostname+":5051")
		all = message(all, 1, agent)
	}
	return message(integer(nil, 1, agentsAnswered), 10, all)
}

func (c *Cluster) frameworksAnswer() []byte {
	var all []byte
	for id, name := range map[string]string{marathonID: "marathon"} {
		info := message(text(text(nil, 1, "root"), 2, name), 3, text(nil, 1, id))
		framework := message(nil, 1, info)
		framework = integer(framework, 2, 1)  // active
		framework = integer(framework, 3, 1)  // connected
		framework = integer(framework, 11, 0) // recovered
		all = message(all, 1, framework)
	}
	return message(integer(nil, 1, frameworksAnswered), 11, all)
}
