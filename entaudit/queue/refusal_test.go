package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

var errRefused = errors.New("value too long")

// distinct leaves out what was written again: the queue looks whether the writer takes
// anything by means of an entry that it has taken.
func distinct(actions []string) []string {
	var d []string
	for _, a := range actions {
		if !slices.Contains(d, a) {
			d = append(d, a)
		}
	}
	return d
}

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

func TestF22RefusedEntryDoesNotTakeOthersWithIt(t *testing.T) {
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
		require.Equal(t, append(names(0, 142), names(143, 250)...), distinct(actions), "in the order in which they came")
		require.Equal(t, entries[142:143], dropped)
		require.Len(t, gaps, 1)
		require.Equal(t, 1, gaps[0].Metadata["count"])
		require.Equal(t, entries[142].ID.String(), gaps[0].Metadata["first_id"])
		require.Equal(t, queue.ReasonRefused, gaps[0].Reason)
		s := q.Stats()
		require.ErrorIs(t, s.LastError, errRefused)
		require.Equal(t, []uint64{250, 249, 1}, []uint64{s.Accepted, s.Stored, s.Dropped})
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "the entry about a gap is told again where it fails, as the same", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Retries: -1, Delay: time.Second, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 8)
		require.NoError(t, q.Write(t.Context(), entries[:5]))
		require.ErrorIs(t, q.Write(t.Context(), entries[5:]), queue.ErrFull)
		told := map[uuid.UUID]int{}
		f.will(func(_ context.Context, entries []entaudit.Entry) error {
			if entries[0].Operation == entaudit.OpGap {
				told[entries[0].ID]++
				return errRefused
			}
			return nil
		})
		after(12 * time.Second)
		synctest.Wait()
		require.Equal(t, uint64(5), q.Stats().Stored)
		require.Zero(t, q.Stats().Dropped)
		f.will(nil)
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 5), actions)
		require.Len(t, gaps, 1)
		require.Equal(t, map[uuid.UUID]int{gaps[0].ID: 3}, told)
		require.Equal(t, 3, gaps[0].Metadata["count"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "Close says that a gap could not be told of", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Retries: -1, Delay: time.Second})
		f.will(down)
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 8)), queue.ErrFull)
		err := q.Close(t.Context())
		require.ErrorIs(t, err, errDown)
		require.EqualError(t, err, "queue: close: no entry tells of a gap of 8 entries: database is down")
	})
	bubble(t, "one entry tells of all that is missing", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 5, Retries: -1, Delay: time.Second, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 8)
		require.NoError(t, q.Write(t.Context(), entries[:5]))
		require.ErrorIs(t, q.Write(t.Context(), entries[5:]), queue.ErrFull)
		f.will(refuse(entries[1].ID, entries[4].ID))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, []string{"0", "2", "3"}, distinct(actions))
		require.Len(t, gaps, 1)
		m := gaps[0].Metadata
		require.Equal(t, []any{5, 3, 3, 2}, []any{m["count"], m["rejected"], m[queue.ReasonFull], m[queue.ReasonRefused]})
		require.Equal(t, queue.ReasonFull, gaps[0].Reason, "the first")
		require.Equal(t, entries[5].ID.String(), m["first_id"])
		require.Equal(t, entries[4].ID.String(), m["last_id"])
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "Close counts what is refused alone", func(t *testing.T) {
		q, f := setup(t, queue.Config{Retries: 1, Delay: time.Hour, OnDrop: func([]entaudit.Entry, error) {}})
		entries := numbered(0, 7)
		f.will(refuse(entries[3].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		require.ErrorContains(t, q.Close(t.Context()), "1 entries left")
		actions, gaps := f.stored()
		require.Len(t, distinct(actions), 6)
		require.Len(t, gaps, 1)
	})
}

func TestF22DeadLetters(t *testing.T) {
	t.Parallel()
	bubble(t, "keep what is refused, at a cost of O(log n) writes", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 1000, OnDrop: func([]entaudit.Entry, error) { t.Error("dropped") }})
		entries := numbered(0, 1000)
		bad := entries[617]
		f.will(refuse(bad.ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, append(names(0, 617), names(618, 1000)...), distinct(actions))
		require.Equal(t, []entaudit.Entry{bad}, dead.Entries())
		require.Len(t, gaps, 1)
		require.Equal(t, 1, gaps[0].Metadata["dead_lettered"])
		require.Equal(t, bad.ID.String(), gaps[0].Metadata["first_id"])
		s := q.Stats()
		require.Equal(t, []uint64{1000, 999, 1, 0}, []uint64{s.Accepted, s.Stored, s.DeadLettered, s.Dropped})
		require.LessOrEqual(t, len(f.times), 4+1+3*10+2+1, "four as a whole, one to look, three for each half, two for the entry once more, one for the gap")
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "more than a batch is refused", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10})
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		after(time.Second)
		entries := numbered(1, 100)
		var ids []uuid.UUID
		for _, e := range entries[20:70] {
			ids = append(ids, e.ID)
		}
		f.will(refuse(ids...))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		actions, _ := f.stored()
		require.Equal(t, append(names(0, 21), names(71, 100)...), distinct(actions))
		require.Len(t, dead.Entries(), 50)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "everything is refused from the start on", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10})
		began := time.Now()
		entries := numbered(0, 30)
		var ids []uuid.UUID
		for _, e := range entries[:25] {
			ids = append(ids, e.ID)
		}
		f.will(refuse(ids...))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		require.Equal(t, entries[:25], dead.Entries())
		actions, gaps := f.stored()
		require.Equal(t, names(25, 30), distinct(actions))
		told := map[uuid.UUID]any{}
		for _, g := range gaps {
			told[g.ID] = g.Metadata["count"]
		}
		require.ElementsMatch(t, []any{20, 5}, slices.Collect(maps.Values(told)), "one for each time that it tells")
		require.Len(t, f.outages(), 1)
		for _, e := range f.outages() {
			require.Equal(t, queue.ReasonOutage, e.Reason)
			require.Equal(t, "billing", e.Service)
			require.Equal(t, map[string]any{"count": 0, "since": began.UTC().Format(time.RFC3339Nano)}, e.Metadata)
		}
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "one entry is refused, and there is no other", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead})
		entries := numbered(0, 1)
		f.will(refuse(entries[0].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		require.Equal(t, entries, dead.Entries())
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "an outage is none, however long", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10})
		require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
		after(time.Second)
		f.will(down)
		require.NoError(t, q.Write(t.Context(), numbered(10, 100)))
		after(24 * time.Hour)
		require.Empty(t, dead.Entries())
		require.Equal(t, 90, q.Stats().Depth)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, gaps := f.stored()
		require.Equal(t, names(0, 100), actions)
		require.Empty(t, gaps)
	})
	bubble(t, "an outage from the start on is none, and keeps the order, whichever write is the first to succeed", func(t *testing.T) {
		for failures := range 40 {
			dead := &audittest.Memory{}
			q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10})
			calls := 0
			f.will(func(context.Context, []entaudit.Entry) error {
				if calls++; calls <= failures {
					return errDown
				}
				return nil
			})
			require.NoError(t, q.Write(t.Context(), numbered(0, 35)))
			after(time.Hour)
			actions, gaps := f.stored()
			require.Equal(t, names(0, 35), distinct(actions), "%d failures", failures)
			require.Empty(t, dead.Entries())
			require.Empty(t, gaps)
			require.LessOrEqual(t, len(f.outages()), 1)
			require.NoError(t, q.Close(t.Context()))
		}
	})
	bubble(t, "an error that is not up to an entry is an outage, whatever else the writer takes", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10})
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		after(time.Second)
		f.will(func(_ context.Context, entries []entaudit.Entry) error {
			if len(entries) == 1 && (entries[0].Action == "0" || entries[0].Action == "audit.outage") {
				return nil // it is there already, or small
			}
			return fmt.Errorf("write: %w", syscall.ENOSPC)
		})
		require.NoError(t, q.Write(t.Context(), numbered(1, 40)))
		after(time.Hour)
		require.Zero(t, dead.Len())
		require.EqualValues(t, 39, q.Stats().Depth)
		f.will(nil)
		after(time.Minute)
		actions, gaps := f.stored()
		require.Equal(t, names(0, 40), distinct(actions))
		require.Empty(t, gaps)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "a writer that has no time for what is new is out of order, one that has is not", func(t *testing.T) {
		for _, slow := range []bool{true, false} { // for all, or for one
			dead := &audittest.Memory{}
			q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 10, Timeout: time.Second})
			require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
			after(time.Second)
			f.will(func(ctx context.Context, entries []entaudit.Entry) error {
				for _, e := range entries {
					if e.Action == "5" || slow && e.Action != "0" { // which is there already
						return hang(ctx, entries)
					}
				}
				return nil
			})
			require.NoError(t, q.Write(t.Context(), numbered(1, 20)))
			after(time.Hour)
			if slow {
				require.Zero(t, dead.Len())
				f.will(nil)
				after(time.Minute)
			} else {
				require.Len(t, dead.Entries(), 1)
			}
			require.EqualValues(t, 20-dead.Len(), q.Stats().Stored)
			require.NoError(t, q.Close(t.Context()))
		}
	})
	bubble(t, "behind a circuit breaker", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead})
		entries := numbered(0, 100)
		bad, failures, until := refuse(entries[0].ID, entries[63].ID), 0, time.Time{}
		f.will(func(ctx context.Context, entries []entaudit.Entry) error {
			if time.Now().Before(until) {
				return errDown
			}
			err := bad(ctx, entries)
			if err == nil {
				failures = 0
			} else if failures++; failures >= 3 || !until.IsZero() && failures == 1 { // one is enough when it was open
				until = time.Now().Add(30 * time.Second)
			}
			if err == nil {
				until = time.Time{}
			}
			return err
		})
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Hour)
		require.Len(t, dead.Entries(), 2)
		require.EqualValues(t, 98, q.Stats().Stored)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "an outage in the middle of the search is none", func(t *testing.T) {
		dead := &audittest.Memory{}
		q, f := setup(t, queue.Config{DeadLetter: dead, BatchSize: 64})
		entries := numbered(0, 64)
		bad := refuse(entries[40].ID)
		calls := 0
		f.will(func(ctx context.Context, entries []entaudit.Entry) error {
			if calls++; calls > 5 && calls < 40 { // one single write after the search has begun
				return errDown
			}
			return bad(ctx, entries)
		})
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Hour)
		require.Equal(t, entries[40:41], dead.Entries())
		actions, _ := f.stored()
		require.Equal(t, append(names(0, 40), names(41, 64)...), distinct(actions))
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "dead letters that cannot be kept are dropped, and nobody waits", func(t *testing.T) {
		var dropped []entaudit.Entry
		q, f := setup(t, queue.Config{
			DeadLetter: entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { panic("x") }),
			OnDrop:     func(entries []entaudit.Entry, _ error) { dropped = append(dropped, entries...) },
		})
		entries := numbered(0, 10)
		f.will(refuse(entries[3].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		require.Equal(t, entries[3:4], dropped)
		require.ErrorContains(t, q.Health(t.Context()), "dead letters cannot be written")
		requireBalance(t, q)
		require.NoError(t, q.Close(t.Context()))
	})
	bubble(t, "out of the spool", func(t *testing.T) {
		dead := &audittest.Memory{}
		sp := &fakeSpool{}
		q, f := setup(t, queue.Config{DeadLetter: dead, Spool: sp, Durable: true})
		entries := numbered(0, 150)
		f.will(refuse(entries[3].ID, entries[120].ID))
		require.NoError(t, q.Write(t.Context(), entries))
		after(time.Minute)
		actions, _ := f.stored()
		require.Len(t, distinct(actions), 148)
		require.Len(t, dead.Entries(), 2)
		require.Zero(t, sp.Len())
		requireBalance(t, q)
		require.NoError(t, q.Close(t.Context()))
	})
}
