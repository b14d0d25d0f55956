package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// TestWakesInTime checks that an entry is written after the delay, whatever the queue did
// before it came.
func TestWakesInTime(t *testing.T) {
	t.Parallel()
	for _, cfg := range []queue.Config{
		{Delay: time.Second},
		{Delay: 3 * time.Minute}, // longer than a queue sleeps at once
		{Delay: time.Second, Durable: true, Spool: &fakeSpool{}},
		{Delay: 3 * time.Minute, Durable: true, Spool: &fakeSpool{}},
	} {
		name := cfg.Delay.String()
		if cfg.Durable {
			name += " durable"
		}
		bubble(t, name, func(t *testing.T) {
			q, f := setup(t, cfg)
			for i, idle := range []time.Duration{0, 10 * time.Second, 61 * time.Second, time.Hour} {
				after(idle)
				synctest.Wait()
				came := time.Now()
				require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
				after(cfg.Delay)
				synctest.Wait()
				require.Len(t, f.times, i+1)
				require.Equal(t, cfg.Delay, f.times[i].Sub(came), "after %v", idle)
			}
			require.NoError(t, q.Close(t.Context()))
		})
	}
	bubble(t, "after entries that the spool has lost", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Delay: time.Second, Durable: true, Spool: sp})
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		require.NoError(t, sp.Ack(1))
		after(10 * time.Second)
		synctest.Wait()
		came := time.Now()
		require.NoError(t, q.Write(t.Context(), numbered(1, 2)))
		synctest.Wait()
		require.Len(t, f.times, 1)
		require.LessOrEqual(t, f.times[0].Sub(came), time.Second)
		require.NoError(t, q.Close(t.Context()))
	})
}

// TestLooksForOrphansInTraffic has a queue be busy with what is in memory: entries that the
// spool has found at another process are not held up by that.
func TestLooksForOrphansInTraffic(t *testing.T) {
	t.Parallel()
	bubble(t, "a minute", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Spool: sp})
		for i := range 10 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
			after(10 * time.Second)
		}
		sp.found(numbered(100, 101))
		for i := range 7 {
			require.NoError(t, q.Write(t.Context(), numbered(10+i, 11+i)))
			after(10 * time.Second)
		}
		actions, _ := f.stored()
		require.Contains(t, actions, "100")
		require.NoError(t, q.Close(t.Context()))
	})
}

// TestTellsAfterAFailure has the last entries that wait be lost while the writer fails: the
// gap is told of without another entry, and nobody is busy until then.
func TestTellsAfterAFailure(t *testing.T) {
	t.Parallel()
	bubble(t, "lost", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Durable: true, Spool: sp})
		var calls atomic.Int64
		f.will(func(context.Context, []entaudit.Entry) error { calls.Add(1); return errDown })
		require.NoError(t, q.Write(t.Context(), numbered(0, 2)))
		after(2 * time.Second)
		require.Positive(t, calls.Load())
		sp.lose(2)
		after(time.Minute)
		before := calls.Load()
		after(10 * time.Minute)
		require.InDelta(t, int(10*time.Minute/queue.DefaultMaxBackoff), calls.Load()-before, 5)
		f.will(nil)
		after(time.Minute)
		_, gaps := f.stored()
		require.Len(t, gaps, 1)
		require.EqualValues(t, 2, gaps[0].Metadata["count"])
		require.NoError(t, q.Close(t.Context()))
	})
}

// TestDelayOfWhatIsSpilled has entries come to the spool while others are written.
func TestDelayOfWhatIsSpilled(t *testing.T) {
	t.Parallel()
	bubble(t, "out of many files", func(t *testing.T) {
		const delay = 37 * time.Second
		sp := &fakeSpool{perFile: 2}
		q, f := setup(t, queue.Config{BatchSize: 50, Delay: delay, Durable: true, Spool: sp})
		require.NoError(t, q.Write(t.Context(), numbered(0, 30)))
		after(delay)
		synctest.Wait()
		actions, _ := f.stored()
		require.Equal(t, names(0, 30), actions)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "one delay", func(t *testing.T) {
		const delay = 37 * time.Second
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Capacity: 10, BatchSize: 10, Delay: delay, Spool: sp})
		require.NoError(t, q.Write(t.Context(), numbered(0, 9)))
		after(3 * time.Second)
		came := time.Now()
		require.NoError(t, q.Write(t.Context(), numbered(9, 11))) // there is no room for both
		after(2 * delay)
		synctest.Wait()
		require.NotEmpty(t, f.times)
		require.LessOrEqual(t, f.times[len(f.times)-1].Sub(came), delay)
		actions, _ := f.stored()
		require.Equal(t, names(0, 11), actions)
		require.NoError(t, q.Close(t.Context()))
	})
}
