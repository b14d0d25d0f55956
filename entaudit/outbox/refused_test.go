package outbox_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/internal/testdb"
)

// TestF22DeadLetters has the destination refuse single entries, more than a batch of
// them in a row, and the last.
func TestF22DeadLetters(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			entries := app.write(t, audittest.Sample(t, 60))
			poison := append(entries[:20:20], entries[40], entries[59])
			to, dead := expect(len(entries)-len(poison)), expect(len(poison))
			to.refuse = without(poison)
			r := app.relay(t, to, outbox.Config{Batch: 16, Attempts: 3, DeadLetter: dead})
			require.Equal(t, ids(append(entries[20:40:40], entries[41:59]...)), ids(to.wait(t)), "in the order of ids")
			require.ElementsMatch(t, ids(poison), ids(dead.wait(t)))
			s := empty(t, r)
			require.EqualValues(t, len(poison), s.DeadLettered)
			require.EqualValues(t, 3*len(poison), s.Refused)
			require.ErrorIs(t, s.LastError, errPoison)
		})
	}
}

// TestDamagedEntryHoldsUpNobody has rows of which a value cannot be read, which only a
// database without types stores.
func TestDamagedEntryHoldsUpNobody(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 30))
	for _, i := range []int{0, 5, 29} {
		_, err := app.db.ExecContext(t.Context(), "UPDATE audit_outbox SET occurred_at='the day before' WHERE id=?", entries[i].ID.String())
		require.NoError(t, err)
	}
	to := expect(27)
	r := app.relay(t, to, outbox.Config{Batch: 10})
	require.Equal(t, ids(slices.Concat(entries[1:5], entries[6:29])), ids(to.wait(t)))
	var s outbox.Stats
	require.Eventually(t, func() bool {
		var err error
		s, err = r.Stats(t.Context())
		return err == nil && s.Pending == 3 && s.Refused > 9
	}, patience, 10*time.Millisecond, "they are looked at again")
	require.ErrorContains(t, s.LastError, "cannot be read")
	_, err := app.db.ExecContext(t.Context(), "UPDATE audit_outbox SET occurred_at='2026-01-02 03:04:05'")
	require.NoError(t, err)
	empty(t, r)
	require.Equal(t, 30, to.Len())
}

// TestRefusedStays has no place for dead letters: what is refused stays, and arrives
// when its cause is gone.
func TestRefusedStays(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 10))
	to := expect(10)
	refuse, refused := without(entries[3:4]), 0
	to.refuse = func(batch []entaudit.Entry) error {
		err := refuse(batch)
		if err != nil && len(batch) == 1 {
			if refused++; refused > 3 {
				return nil
			}
		}
		return err
	}
	r := app.relay(t, to, outbox.Config{Attempts: 1})
	require.ElementsMatch(t, ids(entries), ids(to.wait(t)))
	require.Zero(t, empty(t, r).DeadLettered)
}

// TestF03DestinationAway has the destination be away for long: nothing is refused, and
// all arrives in order when it is back.
func TestF03DestinationAway(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			entries := app.write(t, audittest.Sample(t, 100))
			to, dead := expect(len(entries)), expect(0)
			calls := 0
			to.refuse = func(batch []entaudit.Entry) error {
				calls++
				// It goes away in the middle, and once so while a batch is halved.
				if calls > 2 && calls < 40 || calls == 45 {
					return errAway
				}
				return nil
			}
			r := app.relay(t, to, outbox.Config{Batch: 16, Attempts: 1, DeadLetter: dead})
			require.ElementsMatch(t, ids(entries), ids(to.wait(t)))
			require.Zero(t, dead.Len())
			s := empty(t, r)
			require.NotZero(t, s.Retried)
			require.Zero(t, s.Refused)
			require.ErrorIs(t, s.LastError, errAway)
		})
	}
}

// TestF22HeadOfTheOutbox has more entries refused at the beginning than a search can tell
// from an outage, with nothing behind the batch that would show the difference.
func TestF22HeadOfTheOutbox(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 120))
	to, dead := expect(100), expect(20)
	to.refuse = without(entries[:20])
	r := app.relay(t, to, outbox.Config{Attempts: 3, DeadLetter: dead})
	require.Equal(t, ids(entries[20:]), ids(to.wait(t)))
	require.ElementsMatch(t, ids(entries[:20]), ids(dead.wait(t)))
	empty(t, r)
}

// TestF03AwayAgain has the destination take one entry and go away again, again and again:
// nothing is refused by that.
func TestF03AwayAgain(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 60))
	to, dead := expect(len(entries)), expect(0)
	calls := 0
	to.refuse = func([]entaudit.Entry) error {
		if calls++; calls < 200 && calls%7 != 0 {
			return errAway
		}
		return nil
	}
	r := app.relay(t, to, outbox.Config{Batch: 16, Attempts: 1, DeadLetter: dead})
	require.ElementsMatch(t, ids(entries), ids(to.wait(t)))
	require.Zero(t, dead.Len())
	require.Zero(t, empty(t, r).Refused)
}

// TestF06SlowDestination has one that needs some time for each entry, and longer for a batch
// than a call may take.
func TestF06SlowDestination(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 150))
	to := expect(len(entries))
	slow := entaudit.WriterFunc(func(ctx context.Context, entries []entaudit.Entry) error {
		select {
		case <-time.After(time.Duration(len(entries)) * 10 * time.Millisecond):
			return to.Write(ctx, entries)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	r := app.relay(t, slow, outbox.Config{Timeout: 300 * time.Millisecond, Lease: 1200 * time.Millisecond})
	require.Equal(t, ids(entries), ids(to.wait(t)))
	require.Zero(t, empty(t, r).Refused)
}
