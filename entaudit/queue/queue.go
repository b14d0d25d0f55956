package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/quiet"
	"github.com/entaudit/audit/entaudit/internal/refusal"
)

var (
	// ErrFull is returned for entries that the queue has no room for. They were
	// not accepted, none of them.
	ErrFull = errors.New("queue: no room")
	// ErrClosed is returned for entries that arrive after [Queue.Close], and is
	// the reason of dropping what could not be written before Close gave up. It is an
	// [entaudit.ErrClosed].
	ErrClosed = fmt.Errorf("queue: %w", entaudit.ErrClosed)
)

// Queue is a writer that takes entries over at once and hands them to another
// writer in batches, in the order in which it took them. It is safe for
// concurrent use. Its goroutine ends with [Queue.Close].
type Queue struct {
	w      entaudit.Writer
	cfg    Config
	ctx    context.Context // of everything the goroutine does; ends when Close gives up
	cancel context.CancelFunc
	wake   chan struct{} // there is something to look at
	done   chan struct{} // the goroutine has ended
	log    quiet.Log

	judge refusal.Judge // of the goroutine alone

	mu        sync.Mutex
	mem       memory
	spilling  int       // calls of Spool.Append
	due       time.Time // when entries have waited long enough
	alarm     time.Time // when the goroutine wakes by itself
	rescanDue time.Time // when the spool is asked for what others left
	room      chan struct{}
	gap       gap              // what no entry tells of yet
	notice    []entaudit.Entry // the entry about a gap that is to be written
	noticed   int              // entries that it tells of
	gapDue    time.Time
	failures  int // of the writer, one after the other
	failing   time.Time
	spoolErr  trouble // of the last Append
	readErr   error   // of the last Read
	deadErr   trouble // of the last use of the dead letters
	appended  uint64  // entries that Write stored in the spool
	removed   uint64  // entries that went out of it
	oldest    time.Time
	closed    bool
	hasty     bool // Close has no end: an outage is not waited for
	abandoned bool
	lost      int // entries dropped since Close
	stats     Stats
	closing   sync.Once
	closeErr  error
}

// New returns a Queue in front of w, or an error that names the field of cfg
// that is wrong. It must be closed.
func New(w entaudit.Writer, cfg Config) (*Queue, error) {
	if w == nil {
		return nil, errors.New("queue: the writer is nil")
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	q := &Queue{w: w, cfg: cfg, wake: make(chan struct{}, 1), done: make(chan struct{})}
	q.mem = memory{size: cfg.BatchSize, limit: cfg.BatchBytes}
	q.rescanDue = time.Now().Add(rescan)
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.judge = refusal.Judge{Write: q.attempt}
	go q.run()
	return q, nil
}

// String prints the pipeline, such as "queue<store>".
func (q *Queue) String() string { return "queue<" + entaudit.WriterName(q.w) + ">" }

// Write takes entries over, all or none. Config.OnFull says what becomes of them where
// there is no room; what does not fit into an empty queue either is not waited for.
// With Config.Durable they are on disk when it returns nil; an error may then leave it
// open whether they are, if ctx has ended. The slice may be reused afterwards.
func (q *Queue) Write(ctx context.Context, entries []entaudit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	bytes := 0
	if !q.cfg.Durable {
		bytes = sizes(entries) // in memory
	}
	room, err := q.offer(ctx, entries, bytes)
	if errors.Is(err, ErrFull) && room != nil {
		err = q.await(ctx, room, entries, bytes)
	}
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	return q.reject(ctx, entries, err)
}

// offer takes entries over if there is room. If there is none and Write is to wait, it
// returns a channel that is closed when it may be tried again.
func (q *Queue) offer(ctx context.Context, entries []entaudit.Entry, bytes int) (room chan struct{}, err error) {
	n := len(entries)
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	spools := q.spools(n, bytes)
	if q.cfg.OnFull == Block && (q.cfg.Durable || n <= q.cfg.Capacity && bytes <= q.cfg.MaxBytes) && (spools || !q.fits(n, bytes)) {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room = q.room
	}
	if spools {
		q.spilling++
		q.mu.Unlock()
		return room, q.spill(ctx, entries)
	}
	defer q.mu.Unlock()
	if !q.fits(n, bytes) {
		return room, fmt.Errorf("%w for %d entries, %d of %d are taken", ErrFull, n, q.mem.count, q.cfg.Capacity)
	}
	q.accept(entries)
	return nil, nil
}

func (q *Queue) fits(n, bytes int) bool {
	return q.mem.count+n <= q.cfg.Capacity && q.mem.bytes+bytes <= q.cfg.MaxBytes
}

// accept appends entries and wakes the goroutine where it has to know.
func (q *Queue) accept(entries []entaudit.Entry) {
	if q.mem.count == 0 {
		q.schedule()
	}
	q.mem.add(entries, time.Now())
	q.stats.Accepted += uint64(len(entries))
	q.stir()
}

// await offers entries again whenever there may be room, as long as that makes sense.
func (q *Queue) await(ctx context.Context, room chan struct{}, entries []entaudit.Entry, bytes int) error {
	timer := time.NewTimer(q.cfg.Block)
	defer timer.Stop()
	for {
		select {
		case <-room:
		case <-timer.C:
			return fmt.Errorf("%w within %v", ErrFull, q.cfg.Block)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrFull, ctx.Err())
		}
		var err error
		if room, err = q.offer(ctx, entries, bytes); !errors.Is(err, ErrFull) {
			return err
		}
	}
}

// reject notes that entries were not taken, and returns what Write says about it.
func (q *Queue) reject(ctx context.Context, entries []entaudit.Entry, err error) error {
	full := errors.Is(err, ErrFull)
	drops := full && q.cfg.OnFull == Drop
	q.mu.Lock()
	reason := ReasonSpool
	if full {
		reason = ReasonFull
	}
	q.addGap(reason, len(entries), entries)
	if drops {
		q.stats.Accepted += uint64(len(entries))
		q.stats.Dropped += uint64(len(entries))
	} else {
		q.gap.rejected += len(entries)
		q.stats.Rejected += uint64(len(entries))
	}
	q.mu.Unlock()
	q.log.Warn("queue: entries are not taken", "entries", len(entries), "reason", reason, "policy", string(q.cfg.OnFull))
	switch {
	case drops:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return err
}

// schedule makes the goroutine act after the delay, if it does not sooner.
func (q *Queue) schedule() {
	if q.due.IsZero() {
		q.due = time.Now().Add(q.cfg.Delay)
	}
}

// stir wakes the goroutine if there is something to do before it wakes by itself.
func (q *Queue) stir() {
	if q.closed || q.due.Before(q.alarm) || q.ready() {
		q.signal()
	}
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // it has not seen the last one yet
	}
}

// free lets those that wait for room look again.
func (q *Queue) free() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
