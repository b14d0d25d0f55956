package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

func TestSpilledEntriesAreNotOvertaken(t *testing.T) {
	t.Parallel()
	bubble(t, "although memory has room again", func(t *testing.T) {
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{Capacity: 4, BatchSize: 2, Spool: sp})
		f.will(down)
		for i := range 6 {
			require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
		}
		require.Equal(t, names(4, 6), sp.actions())
		taken := false
		f.will(func(context.Context, []entaudit.Entry) error {
			if taken {
				return errDown
			}
			taken = true
			return nil
		})
		after(10 * time.Second)
		require.Equal(t, 2, q.Stats().Depth)
		require.NoError(t, q.Write(t.Context(), numbered(6, 7)))
		require.Equal(t, names(4, 7), sp.actions())
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 7), distinct(actions))
	})
}
