package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

func TestClose(t *testing.T) {
	t.Parallel()
	bubble(t, "drains, once", func(t *testing.T) {
		q, f := setup(t, queue.Config{Delay: time.Hour})
		require.NoError(t, q.Write(t.Context(), numbered(0, 250)))
		began := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { require.NoError(t, q.Close(t.Context())) })
		}
		wg.Wait()
		require.NoError(t, q.Close(t.Context()))
		require.Zero(t, time.Since(began))
		actions, _ := f.stored()
		require.Equal(t, names(0, 250), actions)
		require.Equal(t, 1, f.closed)
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 1)), queue.ErrClosed)
	})
	bubble(t, "says how many are left", func(t *testing.T) {
		var left []entaudit.Entry
		q, f := setup(t, queue.Config{BatchSize: 10, OnDrop: func(entries []entaudit.Entry, _ error) { left = append(left, entries...) }})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 25)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := q.Close(ctx)
		require.EqualError(t, err, "queue: close: 25 entries left: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		synctest.Wait()
		require.Len(t, left, 25)
		require.Equal(t, uint64(25), q.Stats().Dropped)
		require.Zero(t, q.Stats().Depth)
		require.Equal(t, err, q.Close(t.Context()))
	})
	bubble(t, "does not wait for a writer that ignores its context", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		release := make(chan struct{})
		f.will(func(context.Context, []entaudit.Entry) error { <-release; return nil })
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, q.Close(ctx), "1 entries left")
		close(release)
		synctest.Wait()
		require.Equal(t, uint64(1), q.Stats().Stored, "it did take the batch in the end")
	})
	bubble(t, "says what was dropped while draining", func(t *testing.T) {
		q, f := setup(t, queue.Config{Retries: 1, OnDrop: func([]entaudit.Entry, error) {}})
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(0, 7)))
		err := q.Close(t.Context())
		require.ErrorContains(t, err, "7 entries left")
		require.ErrorIs(t, err, errDown)
	})
	bubble(t, "those who wait for room are refused", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 1, Block: time.Hour, Timeout: time.Minute, Delay: time.Millisecond})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		began := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			require.ErrorIs(t, q.Write(t.Context(), numbered(1, 2)), queue.ErrClosed)
			require.Equal(t, time.Second, time.Since(began), "as soon as the queue is closed")
		})
		after(time.Second)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		wg.Wait()
	})
	bubble(t, "unused", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, 1, f.closed)
	})
}

func TestConcurrentWritesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	q, f := setup(t, queue.Config{Capacity: 64, BatchSize: 16, Delay: time.Millisecond, Block: time.Minute})
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				e := entaudit.Entry{Action: fmt.Sprintf("%d", i), Reason: fmt.Sprintf("%d", w)}
				if err := q.Write(t.Context(), []entaudit.Entry{e}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, q.Close(t.Context()))
	next := map[string]int{}
	for _, b := range f.batches {
		require.LessOrEqual(t, len(b), 16)
		for _, e := range b {
			require.Equal(t, fmt.Sprint(next[e.Reason]), e.Action)
			next[e.Reason]++
		}
	}
	require.Len(t, next, writers)
	require.Equal(t, queue.Stats{Accepted: writers * each, Stored: writers * each}, q.Stats())
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for field, cfg := range map[string]queue.Config{
		"Capacity":      {Capacity: -1},
		"BatchSize":     {Capacity: 5, BatchSize: 6},
		"Delay":         {Delay: -1},
		"Timeout":       {Timeout: -1},
		"Backoff":       {Backoff: -1},
		"MaxBackoff":    {Backoff: 2, MaxBackoff: 1},
		"MaxBytes":      {MaxBytes: -1},
		"BatchBytes":    {MaxBytes: 5, BatchBytes: 6},
		"Block":         {Block: -1},
		"Block: says":   {OnFull: queue.Block},
		"Block: has":    {OnFull: queue.Drop, Block: time.Second},
		"OnFull: \"x\"": {OnFull: "x"},
		"OnFull":        {OnFull: queue.Spill},
		"Durable":       {Durable: true},
	} {
		q, err := queue.New(&fake{}, cfg)
		require.Nil(t, q)
		require.ErrorContains(t, err, "queue: Config."+field)
	}
	_, err := queue.New(nil, queue.Config{})
	require.EqualError(t, err, "queue: the writer is nil")
}

func TestKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	audittest.Writer(t, func(t *testing.T) entaudit.Writer {
		q, err := queue.New(&audittest.Memory{}, queue.Config{Delay: time.Millisecond})
		require.NoError(t, err)
		t.Cleanup(func() { _ = q.Close(context.Background()) }) // a rule closes it with no time left
		return q
	})
	audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
		m := &audittest.Memory{}
		q, err := queue.New(m, queue.Config{Delay: time.Millisecond})
		require.NoError(t, err)
		return q, func(testing.TB) []entaudit.Entry { return m.Entries() }
	})
}

func TestString(t *testing.T) {
	t.Parallel()
	q, _ := setup(t, queue.Config{})
	require.Equal(t, "queue<fake>", q.String())
	require.NoError(t, q.Close(t.Context()))
}

func BenchmarkWrite(b *testing.B) {
	discard := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil })
	q, err := queue.New(discard, queue.Config{Capacity: 1 << 16, Block: time.Minute})
	require.NoError(b, err)
	entry := numbered(0, 1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := q.Write(b.Context(), entry); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.StopTimer()
	require.NoError(b, q.Close(context.Background()))
}

func TestWriteAllocatesLittle(t *testing.T) { // not parallel: AllocsPerRun
	q, err := queue.New(entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil }),
		queue.Config{Capacity: 1 << 16, Block: time.Minute})
	require.NoError(t, err)
	entry := audittest.Sample(t, 1)
	require.LessOrEqual(t, testing.AllocsPerRun(10_000, func() {
		if err := q.Write(t.Context(), entry); err != nil {
			t.Error(err)
		}
	}), 5.0)
	require.NoError(t, q.Close(context.Background()))
}
