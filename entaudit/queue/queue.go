package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entaudit/audit/entaudit"
)

var (
	// ErrFull is returned for entries that the queue has no room for. They were
	// not accepted, none of them.
	ErrFull = errors.New("queue: no room")
	// ErrClosed is returned for entries that arrive after [Queue.Close], and is
	// the reason of dropping what could not be written before Close gave up.
	ErrClosed = errors.New("queue: closed")
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

	mu       sync.Mutex
	pending  [][]entaudit.Entry // batches, all full but the last
	waiting  int                // entries in pending
	writing  int                // entries of the batch being written
	due      time.Time          // when pending or the gap have waited long enough
	room     chan struct{}      // closed when there is room; nil when nobody waits
	gap      gap
	closed   bool
	lost     int // entries dropped since then
	stats    Stats
	closing  sync.Once
	closeErr error
}

// Stats are the numbers of a [Queue] since it was made. Accepted is always
// Stored plus Dropped plus Depth. Entries about gaps are not counted.
type Stats struct {
	Accepted  uint64 // entries that Write took
	Stored    uint64 // entries that the writer took
	Retried   uint64 // writes that were tried again
	Dropped   uint64 // entries that were accepted and then given up
	Rejected  uint64 // entries that there was no room for
	Depth     int    // entries waiting or being written
	LastError error  // of the last write that failed; stays after the next success
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
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.run()
	return q, nil
}

// String prints the pipeline, such as "queue<store>".
func (q *Queue) String() string { return "queue<" + entaudit.WriterName(q.w) + ">" }

// Stats returns the numbers of now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Depth = q.depth()
	return s
}

func (q *Queue) depth() int { return q.waiting + q.writing }

// Write takes entries over, all or none. In a full queue it waits for room as
// long as Config.Block and ctx allow and then returns [ErrFull]; what does not
// fit into an empty queue either is refused at once. The slice may be reused
// afterwards.
func (q *Queue) Write(ctx context.Context, entries []entaudit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	q.mu.Lock()
	if q.cfg.Block > 0 && len(entries) <= q.cfg.Capacity && !q.fits(len(entries)) && !q.closed {
		q.awaitRoom(ctx, len(entries))
	}
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case !q.fits(len(entries)):
		return q.reject(ctx, entries)
	}
	q.accept(entries)
	return nil
}

func (q *Queue) fits(n int) bool { return q.depth()+n <= q.cfg.Capacity }

// accept appends entries and wakes the goroutine where it has to know.
func (q *Queue) accept(entries []entaudit.Entry) {
	before := q.waiting
	q.waiting += len(entries)
	q.stats.Accepted += uint64(len(entries))
	for len(entries) > 0 {
		last := len(q.pending) - 1
		if last < 0 || len(q.pending[last]) == q.cfg.BatchSize {
			q.pending = append(q.pending, nil)
			last++
		}
		n := min(len(entries), q.cfg.BatchSize-len(q.pending[last]))
		q.pending[last] = append(q.pending[last], entries[:n]...)
		entries = entries[n:]
	}
	if before == 0 {
		q.schedule(q.cfg.Delay)
	}
	if before == 0 || before < q.cfg.BatchSize && q.waiting >= q.cfg.BatchSize {
		q.signal()
	}
}

// schedule makes the goroutine act in d at the latest.
func (q *Queue) schedule(d time.Duration) {
	if due := time.Now().Add(d); q.due.IsZero() || due.Before(q.due) {
		q.due = due
	}
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // it has not seen the last one yet
	}
}

func (q *Queue) reject(ctx context.Context, entries []entaudit.Entry) error {
	q.stats.Rejected += uint64(len(entries))
	q.gap.add(entries, true)
	q.schedule(q.cfg.Delay)
	q.signal()
	err := fmt.Errorf("%w for %d entries, %d of %d are taken", ErrFull, len(entries), q.depth(), q.cfg.Capacity)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return err
}

// awaitRoom waits until n entries fit, or there is no point in waiting. It is
// called, and returns, with q.mu held.
func (q *Queue) awaitRoom(ctx context.Context, n int) {
	timer := time.NewTimer(q.cfg.Block)
	defer timer.Stop()
	for !q.closed && !q.fits(n) {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		waiting := true
		select {
		case <-room:
		case <-timer.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
		q.mu.Lock()
		if !waiting {
			return
		}
	}
}

// free lets those that wait for room look again.
func (q *Queue) free() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// Close refuses further entries, waits until those accepted are written and
// closes the writer, if it is an [entaudit.Closer]. It returns an error that says
// how many entries are left. Once ctx is done it gives up: what is left then is
// dropped, although the writer may still take the batch it is busy with. It is idempotent
// and safe for concurrent use: later calls wait for the same end and return the
// same error.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.free()
	q.mu.Unlock()
	q.signal()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	q.closing.Do(func() { q.closeErr = q.finish(ctx) })
	return q.closeErr
}

// finish ends the goroutine, where it has not ended, and closes the writer.
func (q *Queue) finish(ctx context.Context) error {
	q.mu.Lock()
	left := q.depth() + q.lost
	cause := q.stats.LastError
	if q.depth() > 0 {
		cause = ctx.Err()
	}
	q.mu.Unlock()
	q.cancel()
	var errs []error
	if left > 0 {
		errs = append(errs, fmt.Errorf("queue: close: %d entries left: %w", left, cause))
	}
	if c, ok := q.w.(entaudit.Closer); ok {
		errs = append(errs, c.Close(ctx))
	}
	return errors.Join(errs...)
}
