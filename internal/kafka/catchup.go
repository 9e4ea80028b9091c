package kafka

import (
	"cmp"
	"slices"
)

const (
	// catchUpBytes is what is asked for of a partition that is behind: one that has more than came the last time. For a
	// broker, to look up and send a little costs as much as to send a lot.
	catchUpBytes = 256 << 10
	// catchUpAtOnce is how many of those are asked for in one request, so that an answer with much of a few takes no more
	// memory than one with little of all. It is one of each city: what the topics hold in the same partition number comes
	// in together, and so about in the order of its time.
	catchUpAtOnce = 5
)

// wanted is how many bytes to ask for.
func (f *Feed) wanted() int32 {
	if f.behind {
		return max(f.bytes, catchUpBytes)
	}
	return f.bytes
}

// nextBehind puts those of p.behind that have waited longest into p.ready, as many as may be asked for at once.
// All of them have records, so that nobody waits long for the next request.
func (p *poller) nextBehind() {
	slices.SortFunc(p.behind, func(a, b *Feed) int {
		return cmp.Or(cmp.Compare(a.asked, b.asked), cmp.Compare(a.partition, b.partition), cmp.Compare(a.topic, b.topic))
	})
	p.ready = append(p.ready, p.behind[:min(len(p.behind), catchUpAtOnce)]...)
}
