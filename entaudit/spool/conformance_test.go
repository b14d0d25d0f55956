package spool_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
)

// openDead opens the dead letters of a folder. It may be closed again.
func openDead(t testing.TB, dir string) *spool.Dead {
	t.Helper()
	d, err := spool.OpenDead(spool.Config{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close(context.Background())) })
	return d
}

func TestDeadLettersKeepTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	audittest.Writer(t, func(t *testing.T) entaudit.Writer { return openDead(t, filepath.Join(t.TempDir(), "d")) })
}

// TestDeadLettersAreDelivered reads them as the next process does, and has them replayed.
func TestDeadLettersAreDelivered(t *testing.T) {
	t.Parallel()
	t.Run("listed", func(t *testing.T) {
		t.Parallel()
		audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
			dir := filepath.Join(t.TempDir(), "d")
			return openDead(t, dir), func(t testing.TB) []entaudit.Entry {
				t.Helper()
				var entries []entaudit.Entry
				for e, err := range openDead(t, dir).All() {
					require.NoError(t, err)
					entries = append(entries, e)
				}
				return entries
			}
		})
	})
	t.Run("replayed", func(t *testing.T) {
		t.Parallel()
		audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
			dir := filepath.Join(t.TempDir(), "d")
			return openDead(t, dir), func(t testing.TB) []entaudit.Entry {
				t.Helper()
				d, m := openDead(t, dir), &audittest.Memory{}
				n, err := d.Replay(t.Context(), m)
				require.NoError(t, err)
				require.GreaterOrEqual(t, n, m.Len(), "Memory has each id once")
				require.Zero(t, d.Len())
				return m.Entries()
			}
		})
	})
}

// TestSpoolDelivers has every entry pass through the disk.
func TestSpoolDelivers(t *testing.T) {
	t.Parallel()
	audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
		sp, err := spool.Open(spool.Config{Dir: filepath.Join(t.TempDir(), "s")})
		require.NoError(t, err)
		m := &audittest.Memory{}
		q, err := queue.New(m, queue.Config{Spool: sp, Durable: true, Delay: time.Millisecond})
		require.NoError(t, err)
		return q, func(testing.TB) []entaudit.Entry { return m.Entries() }
	})
}
