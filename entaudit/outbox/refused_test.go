package outbox_test

import (
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
			// The last entry is refused for certain only when others are taken.
			app.write(t, audittest.Sample(t, 1))
			for dead.Len() < len(poison) {
				app.write(t, audittest.Sample(t, 1))
			}
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
	to := expect(13)
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
	for range 3 {
		app.write(t, audittest.Sample(t, 1))
	}
	require.Subset(t, ids(to.wait(t)), ids(entries))
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
