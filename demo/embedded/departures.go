package embedded

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// departures ends the membership of clients that have gone without leaving their groups. A real
// cluster notices them by their silence, after the session timeout; here the end of the connection
// that a member joined through is enough, so that a test with many kills does not wait for minutes.
// A member that has another connection by then is noticed by its silence.
type departures struct {
	cluster *kfake.Cluster
	client  *kgo.Client
	work    sync.WaitGroup
	closing chan struct{}

	mu     sync.Mutex
	groups map[string]struct{} // that a member ever joined
}

func newDepartures(cluster *kfake.Cluster, brokers []string) (*departures, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return nil, err
	}
	return &departures{
		cluster: cluster, client: client, closing: make(chan struct{}), groups: map[string]struct{}{},
	}, nil
}

// joined notes a group.
func (d *departures) joined(group string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups[group] = struct{}{}
}

// gone is told of a client that has closed its connection.
func (d *departures) gone(client string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for group := range d.groups {
		d.work.Go(func() { d.watch(group, client) })
	}
}

// watch expels the client, and looks again for a while: what it sent last may still wait for its turn,
// and make a member of it that nobody expects any more.
func (d *departures) watch(group, client string) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 10 {
		d.expel(group, client)
		select {
		case <-tick.C:
		case <-d.closing:
			return
		}
	}
}

// expel makes the group's members that joined from this address leave it.
func (d *departures) expel(group, client string) {
	info := d.cluster.GroupInfo(group)
	if info == nil {
		return
	}
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = group
	for _, member := range info.Members {
		if member.ClientHost == client && member.InstanceID == nil {
			gone := kmsg.NewLeaveGroupRequestMember()
			gone.MemberID = member.MemberID
			leave.Members = append(leave.Members, gone)
		}
	}
	if len(leave.Members) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = leave.RequestWith(ctx, d.client) // otherwise its silence will tell
}

// close waits for what is under way. The cluster must still run, and tell of nobody any more.
func (d *departures) close() {
	close(d.closing)
	d.work.Wait()
	d.client.Close()
}
