package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is a process under test, seen from outside.
type process struct {
	number  int // in the campaign
	cmd     *exec.Cmd
	in      io.WriteCloser
	journal *journal
	ready   chan struct{} // closed by its first line
	gone    chan struct{} // closed when it has ended

	mu      sync.Mutex
	waiting map[int]chan answer
	stats   chan counts
	last    counts // what it said of itself last
	err     error  // how it ended
}

type answer struct {
	how  outcome
	took time.Duration
	why  string
}

// start runs the program as a process under test, behind a command such as strace where
// there is one. What it logs is added to a file.
func start(ctx context.Context, number int, j *journal, p plan, log string, behind ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	line := append(append(behind, self, "child"), p.args()...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)                       //nolint:gosec // it is this program
	stderr, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return nil, err
	}
	cmd.Stderr = stderr
	apart(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, stderr.Close())
	}
	q := &process{
		number: number, cmd: cmd, in: in, journal: j, ready: make(chan struct{}), gone: make(chan struct{}),
		waiting: map[int]chan answer{}, stats: make(chan counts, 1),
	}
	go q.listen(out, stderr)
	return q, nil
}

// listen reads what the process says until it ends.
func (p *process) listen(out io.Reader, log io.Closer) {
	for s := bufio.NewScanner(out); s.Scan(); {
		word, rest, _ := strings.Cut(s.Text(), " ")
		switch word {
		case "ready":
			close(p.ready)
		case "done":
			p.done(rest)
		case "stats":
			var c counts
			if json.Unmarshal([]byte(rest), &c) != nil {
				continue
			}
			p.mu.Lock()
			p.last = c
			p.mu.Unlock()
			select {
			case p.stats <- c:
			default:
			}
		}
	}
	err := p.cmd.Wait()
	p.mu.Lock()
	p.err = errors.Join(err, log.Close())
	p.mu.Unlock()
	close(p.gone)
}

func (p *process) done(rest string) {
	var n, micros int
	var a answer
	if _, err := fmt.Sscan(rest, &n, &a.how, &micros); err != nil {
		return // it was killed in the middle of a line
	}
	a.took = time.Duration(micros) * time.Microsecond
	if parts := strings.SplitN(rest, " ", 4); len(parts) == 4 {
		a.why = parts[3]
	}
	p.mu.Lock()
	waiter := p.waiting[n]
	delete(p.waiting, n)
	p.mu.Unlock()
	if waiter != nil {
		waiter <- a
	}
}

// await waits until the process works.
func (p *process) await(ctx context.Context) error {
	select {
	case <-p.ready:
		return nil
	case <-p.gone:
		return fmt.Errorf("process %d ended before it was ready: %w", p.number, p.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do has the process do one op and puts it into the journal. It reports false when
// the process is gone.
func (p *process) do(o op, worker int) (r *record, alive bool, err error) {
	r, err = p.journal.intend(o, p.number, worker)
	if err != nil {
		return nil, false, err
	}
	answered := make(chan answer, 1)
	p.mu.Lock()
	p.waiting[r.n] = answered
	_, werr := fmt.Fprintf(p.in, "%s\n", r.op)
	p.mu.Unlock()
	if werr == nil {
		select {
		case a := <-answered:
			return r, true, p.journal.settle(r, a.how, a.why, a.took)
		case <-p.gone:
		}
		select {
		case a := <-answered: // it was the last thing that it said
			return r, false, p.journal.settle(r, a.how, a.why, a.took)
		default:
		}
	}
	return r, false, p.journal.settle(r, unknown, "process gone", 0)
}

// ask has the process say its numbers.
func (p *process) ask(ctx context.Context) (counts, error) {
	select {
	case <-p.stats:
	default:
	}
	p.mu.Lock()
	_, err := fmt.Fprintln(p.in, "stats")
	p.mu.Unlock()
	if err != nil {
		return counts{}, err
	}
	select {
	case c := <-p.stats:
		return c, nil
	case <-p.gone:
		return counts{}, fmt.Errorf("process %d is gone", p.number)
	case <-ctx.Done():
		return counts{}, ctx.Err()
	}
}

// kill ends the process at once.
func (p *process) kill() {
	killGroup(p.cmd)
	<-p.gone
}

// close ends the process in order and returns the numbers that it closed with.
func (p *process) close(ctx context.Context) (counts, error) {
	p.mu.Lock()
	_, err := fmt.Fprintln(p.in, "close")
	p.mu.Unlock()
	if err != nil {
		p.kill()
		return p.last, err
	}
	select {
	case <-p.gone:
	case <-ctx.Done():
		p.kill()
		return p.last, ctx.Err()
	}
	return p.last, p.err
}
