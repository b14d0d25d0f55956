package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// sight is what was seen in the outbox, and when.
type sight struct {
	pending int
	oldest  time.Time
	err     error
}

// watch looks into the outbox every Config.Poll until the relay is closed, so that nobody
// who asks for numbers waits for a database, whatever the relay itself waits for. What
// it returns waits for its end.
func (r *Relay) watch() (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !r.over() {
			began := time.Now()
			r.look()
			// Counting many rows takes a while, and is not what the database is for.
			r.sleep(max(r.cfg.Poll, 10*time.Since(began)), nil)
		}
	}()
	return func() { <-done }
}

func (r *Relay) look() {
	ctx, cancel := context.WithTimeout(r.ctx, r.cfg.Timeout)
	defer cancel()
	seen := r.see(ctx)
	r.mu.Lock()
	r.seen = seen
	r.mu.Unlock()
}

// see counts what is in the outbox.
func (r *Relay) see(ctx context.Context) sight {
	n, first, err := r.rows.waiting(ctx)
	if err != nil {
		return sight{err: fmt.Errorf("outbox: count entries: %w", err)}
	}
	s := sight{pending: n}
	if n > 0 {
		s.oldest = made(first)
	}
	return s
}

// Recent returns the numbers of now, with those of the outbox as they were a moment ago:
// the relay counts every Config.Poll, or less often where that takes long. It does no
// I/O. Where counting fails these are zero; Health tells why.
func (r *Relay) Recent() Stats {
	s, _ := r.recent() // Health tells of it
	return s
}

func (r *Relay) recent() (Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats.with(r.seen), r.seen.err
}

func (s Stats) with(seen sight) Stats {
	s.Pending, s.Oldest = seen.pending, seen.oldest
	return s
}

// OldestAge returns how long the oldest entry has been waiting; zero where there is none.
func (s Stats) OldestAge() time.Duration {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(time.Since(s.Oldest), 0)
}

// Var returns what Recent does as package expvar publishes it. Nothing in it comes out of
// entries:
//
//	expvar.Publish("audit_outbox", expvar.Func(relay.Var))
func (r *Relay) Var() any {
	s := r.Recent()
	return map[string]any{
		"relayed": s.Relayed, "retried": s.Retried, "refused": s.Refused, "dead_lettered": s.DeadLettered,
		"pending": s.Pending, "oldest_age_seconds": s.OldestAge().Seconds(), "last_error": entaudit.ErrorCode(s.LastError),
	}
}

// Health reports whether entries get on: nil, or an error that says how many have
// waited since when, for longer than Config.Late, that they cannot be counted, or that
// nobody moves them any more. It is meant for readiness probes and monitoring, and does no
// I/O: it has what Recent has.
func (r *Relay) Health(context.Context) error {
	if r.over() {
		return errors.New("outbox: closed")
	}
	s, err := r.recent()
	if err != nil {
		return err
	}
	if s.Pending == 0 || s.OldestAge() < r.cfg.Late {
		return nil
	}
	err = fmt.Errorf("outbox: %d entries wait, the first since %s", s.Pending, s.Oldest.Format(time.RFC3339))
	if s.LastError != nil {
		err = fmt.Errorf("%w; last error: %w", err, s.LastError)
	}
	return err
}
