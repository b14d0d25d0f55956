package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
