package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/refusal"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// Relay moves entries from the outbox to a writer. Its goroutine ends with
// [Relay.Close]. It is safe for concurrent use.
type Relay struct {
	rows   rows
	w      entaudit.Writer
	cfg    Config
	ctx    context.Context // of everything the goroutine does; ends when Close gives up
	cancel context.CancelFunc
	stop   chan struct{} // no further batch
	wake   chan struct{} // there is something to look at
	done   chan struct{} // the goroutine has ended

	closing  sync.Once
	closeErr error

	mu      sync.Mutex
	stats   Stats
	failing bool // the last round ended in an error
	seen    sight

	// The goroutine's own.
	judge   refusal.Judge
	pace    pace
	outage  error  // the last round ended in it
	service string // of the entry that was seen last
}

// New returns a Relay from the outbox in the database of drv to w, which stay the
// caller's to close, or an error that names the field of cfg that is wrong. It must be
// closed.
func New(drv dialect.Driver, w entaudit.Writer, cfg Config) (*Relay, error) {
	switch {
	case drv == nil:
		return nil, errors.New("outbox: driver is nil")
	case w == nil:
		return nil, errors.New("outbox: the writer is nil")
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	switch drv.Dialect() {
	case dialect.Postgres, dialect.MySQL, dialect.SQLite:
	default:
		return nil, fmt.Errorf("outbox: dialect %q is not supported", drv.Dialect())
	}
	r := &Relay{
		rows: rows{drv: drv, dialect: drv.Dialect(), table: table.Quote(drv.Dialect(), cfg.Table)},
		w:    w, cfg: cfg,
		stop: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	r.pace = pace{size: cfg.Batch, most: cfg.Batch}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.run()
	return r, nil
}

// String prints where entries go, such as "outbox<store>".
func (r *Relay) String() string { return "outbox<" + entaudit.WriterName(r.w) + ">" }

// Notify says that there are entries in the outbox, so that they need not wait for the
// next look at it. It does not block, and need not be called.
func (r *Relay) Notify() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyhow
	}
}

// Close ends the relay after the batch at hand, which it gives up when ctx ends; no
// entry is lost by that. It is idempotent and returns the same error each time. It
// closes neither the database nor the writer.
func (r *Relay) Close(ctx context.Context) error {
	r.closing.Do(func() {
		close(r.stop)
		select {
		case <-r.done:
		case <-ctx.Done():
			r.closeErr = fmt.Errorf("outbox: close: batch given up: %w", ctx.Err())
		}
		r.cancel()
		<-r.done
	})
	return r.closeErr
}

func (r *Relay) run() {
	defer close(r.done)
	defer r.watch()()
	for trouble := 0; ; {
		moved, err := r.round()
		r.note(err)
		switch {
		case r.over():
			return
		case err != nil:
			r.sleep(refusal.Wait(r.cfg.Backoff, r.cfg.MaxBackoff, trouble, entaudit.RetryAfter(err)), nil)
			trouble++
		case moved:
			trouble = 0
		default:
			trouble = 0
			r.sleep(r.cfg.Poll, r.wake)
		}
	}
}

func (r *Relay) over() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// sleep waits for d, for somebody to wake it, or for the end.
func (r *Relay) sleep(d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-r.stop:
	}
}

// round moves one batch. It reports whether there was one, and an error where nothing
// of it could be moved.
func (r *Relay) round() (moved bool, err error) {
	// What is not done by then is given back before the lease ends.
	ctx, cancel := context.WithTimeout(r.ctx, r.cfg.Lease*3/4)
	defer cancel()
	d := &delivery{judge: &r.judge}
	r.judge.Write = func(entries []entaudit.Entry) error {
		ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
		defer cancel()
		err := entaudit.CallWriter(ctx, r.w, entries)
		d.slow = err != nil && ctx.Err() != nil
		return err
	}
	if r.outage != nil && !r.judge.Works(r.service) {
		return false, r.outage
	}
	r.outage = nil
	letters, err := r.claim(ctx, r.pace.size)
	if err != nil || len(letters) == 0 {
		return false, err
	}
	r.service = letters[0].Service
	d.deliver(ctx, letters)
	r.pace.learn(d, len(letters))
	err = r.settle(ctx, d) // also where d has failed
	if len(d.arrived)+len(d.refused) == 0 && !d.tooMany {
		r.outage = d.err
		err = errors.Join(d.err, err)
	}
	return true, err
}

func (r *Relay) claim(ctx context.Context, limit int) ([]letter, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	letters, err := r.rows.claim(ctx, limit, r.cfg.Lease)
	if err != nil {
		return nil, fmt.Errorf("outbox: take entries: %w", err)
	}
	return r.readable(ctx, letters), nil
}

// readable leaves those alone for a while that are damaged, which hold up nobody, and
// returns the others.
func (r *Relay) readable(ctx context.Context, letters []letter) []letter {
	return slices.DeleteFunc(letters, func(l letter) bool {
		if l.damage == nil {
			return false
		}
		r.damaged(l, r.rows.postpone(ctx, l, r.wait(l))) // if that fails it is read again after the lease
		return true
	})
}

// wait is how long a refused entry is left alone.
func (r *Relay) wait(l letter) time.Duration {
	return refusal.Wait(r.cfg.Backoff, max(maxPostpone, r.cfg.Backoff), l.attempts, 0)
}

// settle tells the outbox what became of a batch. It goes on when Close has given up:
// others need not wait for the lease to end then.
func (r *Relay) settle(ctx context.Context, d *delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	err := r.rows.remove(ctx, d.arrived)
	dead, refuse := r.refuse(ctx, d)
	err = errors.Join(err, refuse, r.rows.release(ctx, d.left))
	r.count(d, dead)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// bury writes a dead letter.
func (r *Relay) bury(ctx context.Context, l letter) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	return entaudit.CallWriter(ctx, r.cfg.DeadLetter, []entaudit.Entry{l.Entry})
}

// maxPostpone bounds how long an entry is left alone that is refused again and again.
const maxPostpone = time.Hour

// refuse moves refused entries to the dead letters, as soon as they were refused often
// enough, and leaves the others alone for a while. It returns how many are dead.
func (r *Relay) refuse(ctx context.Context, d *delivery) (dead int, err error) {
	for _, l := range d.refused {
		failed := error(nil)
		if r.cfg.DeadLetter != nil && l.attempts+1 >= r.cfg.Attempts {
			failed = r.bury(ctx, l)
			if failed == nil {
				dead++
				err = errors.Join(err, r.rows.remove(ctx, []letter{l}))
				continue
			}
			failed = fmt.Errorf("dead letter: %w", failed)
		}
		err = errors.Join(err, failed, r.rows.postpone(ctx, l, r.wait(l)))
	}
	return dead, err
}
