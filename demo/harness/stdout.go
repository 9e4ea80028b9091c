package harness

// CloseStdout closes the end that would read a stdout that is held: whoever should read it is gone, and
// every write to it fails. The processes that are started from now on have a stdout that is read.
func (p *Process) CloseStdout() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run.reading {
		p.t.Fatalf("%s: its stdout is being read already", p.service)
	}
	p.options.HoldStdout = false
	p.run.reading = true
	_ = p.run.stdout.Close()
	close(p.run.read)
}
