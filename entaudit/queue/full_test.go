package queue_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	bubble(t, "drop counts and tells", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, OnFull: queue.Drop, Delay: time.Second, BatchSize: 4})
		f.will(hang)
		lost := numbered(5, 8)
		require.NoError(t, q.Write(t.Context(), numbered(0, 5)))
		require.NoError(t, q.Write(t.Context(), lost))
		s := q.Stats()
		require.Equal(t, []uint64{8, 3, 0}, []uint64{s.Accepted, s.Dropped, s.Rejected})
		requireBalance(t, q)
		require.ErrorIs(t, q.Health(t.Context()), queue.ErrFull)
		f.will(nil)
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 5), actions)
		require.Len(t, gaps, 1)
		require.Equal(t, queue.ReasonFull, gaps[0].Reason)
		require.Equal(t, []any{3, 0}, []any{gaps[0].Metadata["count"], gaps[0].Metadata["rejected"]})
		require.Equal(t, lost[0].ID.String(), gaps[0].Metadata["first_id"])
		require.NoError(t, q.Health(t.Context()))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "spill keeps the order", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Capacity: 5, BatchSize: 2, Spool: sp})
		f.will(down)
		for i := range 12 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
		}
		require.Equal(t, names(5, 12), sp.actions())
		s := q.Stats()
		require.Equal(t, []int{5, 7}, []int{s.Depth, s.Spooled})
		require.Zero(t, s.Recovered)
		requireBalance(t, q)
		require.NoError(t, q.Health(t.Context()), "it takes entries, and the outage is not one yet")
		after(10 * time.Second)
		require.ErrorContains(t, q.Health(t.Context()), "writing fails since 2000-01-01T00:00:00Z: errors.errorString")
		f.will(nil)
		after(4 * time.Second)
		require.NoError(t, q.Write(t.Context(), numbered(12, 13)))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 13), actions)
		require.Empty(t, gaps)
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, queue.Stats{Accepted: 13, Stored: 13, Retried: q.Stats().Retried, LastError: errDown}, q.Stats())
		require.Equal(t, 1, sp.closed)
	})
	bubble(t, "what comes while the spool holds something goes behind it, although memory has room", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Capacity: 2, BatchSize: 1, Spool: sp})
		f.will(func(_ context.Context, entries []entaudit.Entry) error {
			if entries[0].Action != "0" {
				return errDown
			}
			return nil
		})
		for i := range 3 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
		}
		synctest.Wait()
		require.Equal(t, 1, q.Stats().Depth)
		require.NoError(t, q.Write(t.Context(), numbered(3, 4)))
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 4), actions)
	})
	bubble(t, "memory is used again once the spool is empty", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Capacity: 2, Spool: sp})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		require.NoError(t, q.Write(t.Context(), numbered(2, 3)))
		f.will(nil)
		after(time.Minute)
		sp.will(errDown)
		require.NoError(t, q.Write(t.Context(), numbered(3, 4)))
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 4), actions)
	})
	bubble(t, "a spool that fails is an error, a gap and unhealthy", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Durable: true, Spool: sp})
		sp.will(errDown)
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 2)), errDown)
		require.ErrorContains(t, q.Health(t.Context()), "the spool fails")
		sp.will(nil)
		require.NoError(t, q.Write(t.Context(), numbered(2, 3)))
		require.NoError(t, q.Health(t.Context()))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(2, 3), actions)
		require.Len(t, gaps, 1)
		require.Equal(t, queue.ReasonSpool, gaps[0].Reason)
		requireBalance(t, q)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a full spool may be waited for", func(t *testing.T) {
		sp := &fakeSpool{capacity: 2}
		q, f := setup(t, queue.Config{Durable: true, Spool: sp, Block: 10 * time.Second})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		began := time.Now()
		require.ErrorIs(t, q.Write(t.Context(), numbered(2, 3)), queue.ErrFull)
		require.Equal(t, 10*time.Second, time.Since(began))
		require.ErrorContains(t, q.Health(t.Context()), "the spool is full")
		f.will(nil)
		require.NoError(t, q.Write(t.Context(), numbered(3, 4)))
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, []string{"0", "1", "3"}, actions)
	})
}

func TestBytes(t *testing.T) {
	t.Parallel()
	bubble(t, "bound the queue", func(t *testing.T) {
		q, f := setup(t, queue.Config{MaxBytes: 100_000})
		f.will(hang)
		big := numbered(0, 3)
		for i := range big {
			big[i].Metadata = map[string]any{"body": strings.Repeat("x", 40_000), "n": []any{1, map[string]any{"a": "b"}}}
		}
		require.NoError(t, q.Write(t.Context(), big[:2]))
		require.ErrorIs(t, q.Write(t.Context(), big[2:]), queue.ErrFull)
		require.InDelta(t, 82_000, q.Stats().Bytes, 1000)
		require.NoError(t, q.Write(t.Context(), numbered(3, 4)), "a small one fits")
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		require.Zero(t, q.Stats().Bytes)
	})
	bubble(t, "bound a batch", func(t *testing.T) {
		q, f := setup(t, queue.Config{BatchBytes: 100_000, Delay: time.Second})
		entries := numbered(0, 6)
		for i := range entries[:5] {
			entries[i].Reason = strings.Repeat("x", 40_000)
		}
		entries[4].Reason = strings.Repeat("x", 200_000)
		require.NoError(t, q.Write(t.Context(), entries))
		synctest.Wait()
		require.Equal(t, []int{2, 2, 1}, f.sizes(), "the large one alone")
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []int{2, 2, 1, 1}, f.sizes())
	})
	bubble(t, "bound a batch out of the spool", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{BatchBytes: 100_000, Durable: true, Spool: sp})
		entries := numbered(0, 5)
		for i := range entries {
			entries[i].Reason = strings.Repeat("x", 40_000)
		}
		require.NoError(t, q.Write(t.Context(), entries))
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []int{2, 2, 1}, f.sizes())
	})
}

// requireBalance checks that nothing is unaccounted for.
func requireBalance(t *testing.T, q *queue.Queue) {
	t.Helper()
	s := q.Stats()
	require.Equal(t, s.Accepted+s.Recovered,
		s.Stored+s.DeadLettered+s.Dropped+uint64(s.Depth)+uint64(s.Spooled), "%+v", s)
}
