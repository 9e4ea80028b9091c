package produce

import (
	"errors"
	"slices"

	"github.com/IBM/sarama"
)

// sender sends to one broker, one request at a time.
type sender struct {
	p       *Producer
	wake    chan struct{}
	answers chan answer

	partitions []*partition // that the broker leads; under the Producer's lock
	node       node         // the same

	taken   []*partition     // what the request under way is about
	batches []*Batch         // theirs
	records []*sarama.Record // used again for each request
	settled []*Batch
}

// answer is what came of a request.
type answer struct {
	response *sarama.ProduceResponse
	err      error
}

func newSender(p *Producer) *sender {
	return &sender{p: p, wake: make(chan struct{}, 1), answers: make(chan answer, 1)}
}

// run sends what is due until the Producer is closed.
func (s *sender) run() {
	for {
		node := s.take()
		if node == nil {
			select {
			case <-s.wake:
				continue
			case <-s.p.done:
				return
			}
		}
		s.write()
		err := node.send(s.batches, func(response *sarama.ProduceResponse, err error) { s.answers <- answer{response, err} })
		a := answer{err: err}
		if err == nil {
			select {
			case a = <-s.answers:
			case <-s.p.done:
				return
			}
		}
		if a.err != nil && !errors.As(a.err, new(sarama.PacketEncodingError)) {
			node.hangUp()
		}
		if !s.settle(a) {
			return
		}
	}
}

// take collects the batches that are to be sent now, and to whom; nil if there are none.
func (s *sender) take() node {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.taken, s.batches = s.taken[:0], s.batches[:0]
	for _, part := range s.partitions {
		if b := part.take(); b != nil {
			s.taken, s.batches = append(s.taken, part), append(s.batches, b)
		}
	}
	if len(s.taken) == 0 {
		return nil
	}
	return s.node
}

// write fills the batches with the records of one request.
func (s *sender) write() {
	n := 0
	for _, b := range s.batches {
		n += b.Len()
	}
	if missing := n - len(s.records); missing > 0 {
		more := make([]sarama.Record, missing)
		for i := range more {
			s.records = append(s.records, &more[i])
		}
	}
	from := 0
	for _, b := range s.batches {
		b.write(s.records[from : from+b.Len()])
		from += b.Len()
	}
}

// settle passes on what has become of the batches. It is false when the Producer is closed.
func (s *sender) settle(a answer) bool {
	s.judge(a)
	for _, b := range s.settled {
		select {
		case s.p.settled <- b:
		case <-s.p.done:
			return false
		}
	}
	return true
}

// judge sorts the batches that were sent: those whose fate is known are settled,
// the partitions of the others go to the router.
func (s *sender) judge(a answer) {
	s.settled = s.settled[:0]
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, part := range s.taken {
		what, why := part.sent.judge(a.response, a.err)
		switch what {
		case written:
			s.settled = append(s.settled, part.acknowledged())
			s.p.trouble.Store(nil)
			continue
		case abandoned:
			s.settled = append(s.settled, part.givenUp(why))
			s.p.trouble.Store(&why)
		case afresh:
			part.forget()
		case again:
		}
		s.partitions = slices.DeleteFunc(s.partitions, func(other *partition) bool { return other == part })
		s.p.postpone(part, why)
	}
}
