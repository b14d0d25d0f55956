package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

// TestHealthRecovers has nothing come after the trouble that would disprove it: a probe
// that fails takes the traffic away.
func TestHealthRecovers(t *testing.T) {
	t.Parallel()
	bubble(t, "from a caller who left", func(t *testing.T) {
		q, _ := setup(t, queue.Config{Spool: &fakeSpool{}, Durable: true})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, q.Write(ctx, numbered(0, 1)), context.Canceled)
		require.NoError(t, q.Health(t.Context()))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "from a disk", func(t *testing.T) {
		sp := &fakeSpool{err: errors.New("disk")}
		q, _ := setup(t, queue.Config{Spool: sp, Durable: true})
		require.Error(t, q.Write(t.Context(), numbered(0, 1)))
		require.ErrorContains(t, q.Health(t.Context()), "the spool fails")
		after(time.Minute)
		require.NoError(t, q.Health(t.Context()))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "from a dead letter", func(t *testing.T) {
		q, f := setup(t, queue.Config{DeadLetter: &fake{write: down}, Retries: -1})
		entries := numbered(0, 1)
		f.will(refuse(entries[0].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Second)
		require.ErrorContains(t, q.Health(t.Context()), "dead letters cannot be written")
		after(time.Minute)
		require.NoError(t, q.Health(t.Context()))
		require.NoError(t, q.Close(t.Context()))
	})
}

func TestCloseInTrouble(t *testing.T) {
	t.Parallel()
	bubble(t, "an entry stays in the spool that was about to become a dead letter", func(t *testing.T) {
		sp, burying := &fakeSpool{}, make(chan struct{})
		dead := &fake{write: func(ctx context.Context, _ []entaudit.Entry) error { close(burying); <-ctx.Done(); return ctx.Err() }}
		q, f := setup(t, queue.Config{Spool: sp, Durable: true, DeadLetter: dead, Retries: -1})
		entries := numbered(0, 1)
		f.will(refuse(entries[0].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		<-burying
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var left *queue.LeftError
		require.ErrorAs(t, q.Close(ctx), &left)
		require.Equal(t, []int{0, 1}, []int{left.Lost, left.Spooled})
		require.Equal(t, []string{"0"}, sp.actions())
		require.Zero(t, q.Stats().Dropped)
		requireBalance(t, q)
	})
	bubble(t, "a spool that fails as well is told of, and with it what no entry tells of", func(t *testing.T) {
		sp, told := &fakeSpool{}, 0
		q, f := setup(t, queue.Config{
			Spool: sp, OnFull: queue.Refuse, Capacity: 10, BatchSize: 10,
			OnDrop: func(entries []entaudit.Entry, _ error) { told += len(entries) },
		})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
		require.ErrorIs(t, q.Write(t.Context(), numbered(10, 13)), queue.ErrFull)
		sp.will(errors.New("disk"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := q.Close(ctx)
		require.ErrorContains(t, err, "no entry tells of a gap of 3 entries")
		require.ErrorContains(t, err, "10 entries left")
		require.ErrorContains(t, err, "disk")
		require.Equal(t, 10, told)
		require.EqualValues(t, 10, q.Stats().Dropped)
		requireBalance(t, q)
	})
	bubble(t, "a writer that needs a moment to give up is waited for", func(t *testing.T) {
		var told atomic.Int64
		q, f := setup(t, queue.Config{OnDrop: func(entries []entaudit.Entry, _ error) { told.Add(int64(len(entries))) }})
		f.will(func(ctx context.Context, _ []entaudit.Entry) error {
			<-ctx.Done()
			time.Sleep(200 * time.Millisecond) // it rolls back
			return ctx.Err()
		})
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, q.Close(ctx), "1 entries left")
		require.EqualValues(t, 1, told.Load())
		require.EqualValues(t, 1, q.Stats().Dropped)
	})
}

// TestEntriesOfBeforeDoNotStarve has a spool with entries of a process before, in front of
// which there is always something in memory.
func TestEntriesOfBeforeDoNotStarve(t *testing.T) {
	t.Parallel()
	for _, policy := range []queue.Policy{queue.Refuse, queue.Drop} {
		bubble(t, string(policy), func(t *testing.T) {
			before := numbered(0, 30)
			sp := &fakeSpool{entries: before}
			q, f := setup(t, queue.Config{Spool: sp, OnFull: policy, BatchSize: 10, Delay: 10 * time.Millisecond})
			f.will(func(context.Context, []entaudit.Entry) error { time.Sleep(50 * time.Millisecond); return nil })
			for i := range 200 {
				require.NoError(t, q.Write(t.Context(), numbered(30+i, 31+i)))
				after(20 * time.Millisecond)
			}
			require.Zero(t, sp.Len())
			require.NoError(t, q.Close(t.Context()))
			actions, _ := f.stored()
			require.Equal(t, names(0, 230), actions)
		})
	}
}

type later struct{ error }

func (later) RetryAfter() time.Duration { return 10 * time.Minute }

// TestRetryAfter has the writer say when to come again: it is not asked before, nothing is
// searched for, and Close does not wait for it for ever.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	bubble(t, "is waited for", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, Retries: -1})
		f.will(func(context.Context, []entaudit.Entry) error { return later{errors.New("too many requests")} })
		require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
		after(time.Minute)
		synctest.Wait()
		require.Len(t, f.times, 1)
		f.will(nil)
		after(10 * time.Minute)
		actions, _ := f.stored()
		require.Equal(t, names(0, 10), actions)
		require.Zero(t, dead.Len())
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "ends with Close", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		f.will(func(context.Context, []entaudit.Entry) error { return later{errors.New("too many requests")} })
		require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
		after(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, q.Close(ctx), "10 entries left")
	})
}
