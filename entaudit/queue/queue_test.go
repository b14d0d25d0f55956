package queue_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// fake is a Writer that does what its fields say and keeps what it takes.
type fake struct {
	mu      sync.Mutex
	write   func(ctx context.Context, entries []entaudit.Entry) error
	batches [][]entaudit.Entry
	times   []time.Time
	closed  int
}

func (f *fake) String() string { return "fake" }

func (f *fake) Write(ctx context.Context, entries []entaudit.Entry) error {
	f.mu.Lock()
	f.times = append(f.times, time.Now())
	write := f.write
	f.mu.Unlock()
	if write != nil {
		if err := write(ctx, entries); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, entries)
	return nil
}

func (f *fake) Close(context.Context) error { f.closed++; return nil }

// will sets what Write does from now on.
func (f *fake) will(write func(context.Context, []entaudit.Entry) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write = write
}

func (f *fake) stored() (actions []string, gaps []entaudit.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.batches {
		for _, e := range b {
			switch {
			case e.Action == "audit.outage":
			case e.Operation == entaudit.OpGap:
				gaps = append(gaps, e)
			default:
				actions = append(actions, e.Action)
			}
		}
	}
	return actions, gaps
}

// outages returns the entries that tell of outages, by their ids.
func (f *fake) outages() map[uuid.UUID]entaudit.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := map[uuid.UUID]entaudit.Entry{}
	for _, b := range f.batches {
		for _, e := range b {
			if e.Action == "audit.outage" {
				told[e.ID] = e
			}
		}
	}
	return told
}

func (f *fake) sizes() (n []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.batches {
		n = append(n, len(b))
	}
	return n
}

var errDown = errors.New("database is down")

func down(context.Context, []entaudit.Entry) error { return errDown }

// hang blocks until its context ends, as a Writer does whose store is away.
func hang(ctx context.Context, _ []entaudit.Entry) error {
	<-ctx.Done()
	return ctx.Err()
}

// setup returns a queue that the test closes.
func setup(t *testing.T, cfg queue.Config) (*queue.Queue, *fake) {
	t.Helper()
	f := &fake{}
	q, err := queue.New(f, cfg)
	require.NoError(t, err)
	return q, f
}

func numbered(from, to int) []entaudit.Entry {
	var entries []entaudit.Entry
	for i := from; i < to; i++ {
		entries = append(entries, entaudit.Entry{
			ID: uuid.Must(uuid.NewV7()), Service: "billing", Action: strconv.Itoa(i), OccurredAt: time.Now(),
		})
	}
	return entries
}

func names(from, to int) []string {
	var s []string
	for i := from; i < to; i++ {
		s = append(s, strconv.Itoa(i))
	}
	return s
}

// bubble runs f where time is fake and a goroutine that is left behind fails the
// test.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, f)
	})
}

func after(d time.Duration) { <-time.After(d) }

func TestBatches(t *testing.T) {
	t.Parallel()
	bubble(t, "full batches at once, the rest after the delay", func(t *testing.T) {
		q, f := setup(t, queue.Config{BatchSize: 10, Delay: time.Second})
		began := time.Now()
		require.NoError(t, q.Write(t.Context(), numbered(0, 25)))
		synctest.Wait()
		require.Equal(t, []int{10, 10}, f.sizes())
		require.Equal(t, 5, q.Stats().Depth)
		after(time.Second)
		synctest.Wait()
		require.Equal(t, []int{10, 10, 5}, f.sizes())
		require.Equal(t, time.Second, f.times[2].Sub(began))
		require.NoError(t, q.Close(t.Context()))
		actions, gaps := f.stored()
		require.Equal(t, names(0, 25), actions)
		require.Empty(t, gaps)
		require.Equal(t, queue.Stats{Accepted: 25, Stored: 25}, q.Stats())
	})
	bubble(t, "the first entry decides the delay", func(t *testing.T) {
		q, f := setup(t, queue.Config{BatchSize: 10, Delay: time.Second})
		began := time.Now()
		for i := range 4 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
			after(300 * time.Millisecond)
		}
		synctest.Wait()
		require.Equal(t, []int{4}, f.sizes())
		require.Equal(t, time.Second, f.times[0].Sub(began))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a batch that fills up does not wait", func(t *testing.T) {
		q, f := setup(t, queue.Config{BatchSize: 3, Delay: time.Hour})
		for i := range 3 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
		}
		synctest.Wait()
		require.Equal(t, []int{3}, f.sizes())
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "the caller may reuse its slice", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		entries := numbered(0, 2)
		require.NoError(t, q.Write(t.Context(), entries))
		entries[0].Action, entries[1].Action = "x", "y"
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 2), actions)
	})
	bubble(t, "nothing", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		require.NoError(t, q.Write(t.Context(), nil))
		require.NoError(t, q.Close(t.Context()))
		require.Empty(t, f.sizes())
	})
}

func TestFullQueueIsAnError(t *testing.T) {
	t.Parallel()
	bubble(t, "at once", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Delay: time.Second})
		require.NoError(t, q.Write(t.Context(), numbered(0, 4)))
		lost := numbered(4, 6)
		require.ErrorIs(t, q.Write(t.Context(), lost), queue.ErrFull)
		require.NoError(t, q.Write(t.Context(), numbered(6, 7)))
		require.ErrorIs(t, q.Write(t.Context(), numbered(7, 8)), queue.ErrFull)
		require.Equal(t, queue.Stats{Accepted: 5, Rejected: 3, Depth: 5, Bytes: q.Stats().Bytes}, q.Stats())
		require.NoError(t, q.Close(t.Context()))
		actions, gaps := f.stored()
		require.Equal(t, []string{"0", "1", "2", "3", "6"}, actions)
		require.Len(t, gaps, 1)
		require.Equal(t, entaudit.KindSystem, gaps[0].Kind)
		require.Equal(t, queue.ReasonFull, gaps[0].Reason)
		require.Equal(t, entaudit.ActorSystem, gaps[0].Actor.Type)
		require.Equal(t, "billing", gaps[0].Service)
		require.Equal(t, 3, gaps[0].Metadata["count"])
		require.Equal(t, 3, gaps[0].Metadata["rejected"])
		require.Equal(t, lost[0].ID.String(), gaps[0].Metadata["first_id"])
	})
	bubble(t, "entries being written take room", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 2})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		synctest.Wait()
		require.ErrorIs(t, q.Write(t.Context(), numbered(2, 3)), queue.ErrFull)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "more than the capacity never fits", func(t *testing.T) {
		q, _ := setup(t, queue.Config{Capacity: 2, Block: time.Hour})
		began := time.Now()
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 3)), queue.ErrFull)
		require.Zero(t, time.Since(began))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "after waiting", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 2, Block: time.Second, Timeout: time.Hour})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		began := time.Now()
		require.ErrorIs(t, q.Write(t.Context(), numbered(2, 3)), queue.ErrFull)
		require.Equal(t, time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := q.Write(ctx, numbered(3, 4))
		require.ErrorIs(t, err, queue.ErrFull)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1001*time.Millisecond, time.Since(began))
		require.Error(t, q.Close(ctx))
	})
	bubble(t, "room in time", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 2, Block: 10 * time.Second, Timeout: time.Second, Backoff: time.Second})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				require.NoError(t, q.Write(t.Context(), numbered(2+i, 3+i)))
			})
		}
		after(500 * time.Millisecond)
		f.will(nil)
		wg.Wait()
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, uint64(4), q.Stats().Stored)
		require.Zero(t, q.Stats().Rejected)
	})
}

func TestRetries(t *testing.T) {
	t.Parallel()
	bubble(t, "W18 an outage of a minute loses nothing", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 250)))
		after(time.Minute)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, gaps := f.stored()
		require.Equal(t, names(0, 250), actions)
		require.Empty(t, gaps)
		require.ErrorIs(t, q.Stats().LastError, errDown)
		require.Greater(t, q.Stats().Retried, uint64(10))
	})
	bubble(t, "the waits grow, with jitter, up to the limit", func(t *testing.T) {
		q, f := setup(t, queue.Config{Retries: 6, Backoff: time.Second, MaxBackoff: 8 * time.Second, OnDrop: func([]entaudit.Entry, error) {}})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		after(45 * time.Second)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		require.GreaterOrEqual(t, len(f.times), 7)
		for i, most := range []time.Duration{1, 2, 4, 8, 8, 8} {
			wait := f.times[i+1].Sub(f.times[i])
			require.LessOrEqual(t, wait, most*time.Second, i)
			require.GreaterOrEqual(t, wait, most*time.Second/2, i)
		}
	})
	bubble(t, "what is refused meanwhile becomes a gap", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 2, Retries: -1, Timeout: time.Second})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		refused := numbered(2, 5)
		after(500 * time.Millisecond)
		require.ErrorIs(t, q.Write(t.Context(), refused[:1]), queue.ErrFull)
		after(time.Hour)
		require.ErrorIs(t, q.Write(t.Context(), refused[1:]), queue.ErrFull)
		require.Greater(t, q.Stats().Failing, time.Hour-time.Minute)
		f.will(nil)
		after(time.Minute)
		require.ErrorIs(t, q.Stats().LastError, context.DeadlineExceeded)
		require.Zero(t, q.Stats().Failing)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 2), actions)
		require.Len(t, gaps, 1, "one for the whole outage")
		require.Equal(t, 3, gaps[0].Metadata["count"])
		require.Equal(t, 3, gaps[0].Metadata["rejected"])
		require.Equal(t, refused[0].ID.String(), gaps[0].Metadata["first_id"])
		require.Equal(t, refused[2].ID.String(), gaps[0].Metadata["last_id"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a gap is entered although nothing else comes", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Delay: time.Millisecond})
		f.will(down)
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 6)), queue.ErrFull)
		after(30 * time.Second)
		f.will(nil)
		after(30 * time.Second)
		_, gaps := f.stored()
		require.Len(t, gaps, 1)
		require.Equal(t, 6, gaps[0].Metadata["count"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a writer that hangs is cut off", func(t *testing.T) {
		q, f := setup(t, queue.Config{Timeout: time.Second, Retries: 3})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		after(1500 * time.Millisecond)
		require.ErrorIs(t, q.Stats().LastError, context.DeadlineExceeded)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, uint64(1), q.Stats().Stored)
	})
	bubble(t, "F14 a writer that panics has failed", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		f.will(func(context.Context, []entaudit.Entry) error { panic("s3cret") })
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		after(time.Second)
		require.NotContains(t, q.Stats().LastError.Error(), "s3cret")
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, uint64(1), q.Stats().Stored)
	})
}
