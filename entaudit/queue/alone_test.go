package queue_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

var errRefused = errors.New("value too long")

// refuse fails every write that holds one of the ids.
func refuse(ids ...uuid.UUID) func(context.Context, []entaudit.Entry) error {
	return func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			if slices.Contains(ids, e.ID) {
				return errRefused
			}
		}
		return nil
	}
}

func TestOneRefusedEntryDoesNotTakeOthersWithIt(t *testing.T) {
	t.Parallel()
	bubble(t, "only it is dropped", func(t *testing.T) {
		var dropped []entaudit.Entry
		q, f := setup(t, queue.Config{Retries: 2, OnDrop: func(entries []entaudit.Entry, err error) {
			require.ErrorIs(t, err, errRefused)
			dropped = append(dropped, entries...)
		}})
		entries := numbered(0, 250)
		f.will(refuse(entries[142].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, append(names(0, 142), names(143, 250)...), actions, "in the order in which they came")
		require.Equal(t, entries[142:143], dropped)
		require.Len(t, gaps, 1)
		require.Equal(t, 1, gaps[0].Metadata["count"])
		require.Equal(t, entries[142].ID.String(), gaps[0].Metadata["first_id"])
		require.Equal(t, queue.ReasonFailed, gaps[0].Reason)
		s := q.Stats()
		require.ErrorIs(t, s.LastError, errRefused)
		require.Equal(t, []uint64{250, 249, 1}, []uint64{s.Accepted, s.Stored, s.Dropped})
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "the entry about a gap is told again where it fails", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Retries: -1, Delay: time.Second, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 8)
		require.NoError(t, q.Write(t.Context(), entries[:5]))
		require.ErrorIs(t, q.Write(t.Context(), entries[5:]), queue.ErrFull)
		f.will(func(_ context.Context, entries []entaudit.Entry) error {
			if entries[0].Operation == entaudit.OpGap {
				return errRefused
			}
			return nil
		})
		after(1500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, uint64(5), q.Stats().Stored)
		require.Zero(t, q.Stats().Dropped)
		f.will(nil)
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 5), actions)
		require.Len(t, gaps, 1)
		require.Equal(t, 3, gaps[0].Metadata["count"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a gap that is stored is not told twice", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Retries: -1, Delay: time.Second, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 8)
		require.NoError(t, q.Write(t.Context(), entries[:5]))
		require.ErrorIs(t, q.Write(t.Context(), entries[5:]), queue.ErrFull)
		f.will(refuse(entries[1].ID, entries[4].ID))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, []string{"0", "2", "3"}, actions)
		require.Len(t, gaps, 2)
		require.Equal(t, []any{3, 2}, []any{gaps[0].Metadata["count"], gaps[1].Metadata["count"]})
		require.Equal(t, entries[4].ID.String(), gaps[1].Metadata["last_id"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "Close counts what is refused alone", func(t *testing.T) {
		q, f := setup(t, queue.Config{Retries: 1, Delay: time.Hour, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 7)
		f.will(refuse(entries[3].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		require.ErrorContains(t, q.Close(t.Context()), "1 entries left")
		actions, gaps := f.stored()
		require.Len(t, actions, 6)
		require.Len(t, gaps, 1)
	})
}
