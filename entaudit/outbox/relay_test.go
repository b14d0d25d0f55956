package outbox_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/internal/table"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

func TestRelay(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			entries := app.write(t, append(audittest.Sample(t, 250), audittest.Hostile(t)...))
			to := expect(len(entries))
			r := app.relay(t, to, outbox.Config{Batch: 100})
			require.Equal(t, "outbox<memory>", r.String())
			require.NoError(t, r.Check(t.Context()))
			got := to.wait(t)
			require.Equal(t, ids(entries), ids(got), "in the order of ids")
			for i := range entries {
				require.True(t, table.Equal(&entries[i], &got[i]), "%s arrives otherwise", entries[i].ID)
			}
			s := empty(t, r)
			require.EqualValues(t, len(entries), s.Relayed)
			require.Zero(t, s.Refused+s.Retried)
			require.NoError(t, s.LastError)
			require.ErrorContains(t, r.Health(t.Context()), "closed")
		})
	}
}

// TestRelaysSideBySide has several relays empty one outbox into a database, while
// entries come.
func TestRelaysSideBySide(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			to := expect(600)
			var relays []*outbox.Relay
			for range 3 {
				own := at(t, d, app.driver, app.dsn)
				relays = append(relays, own.relay(t, to, outbox.Config{Batch: 20}))
			}
			var entries []entaudit.Entry
			for range 30 {
				entries = append(entries, app.write(t, audittest.Sample(t, 20))...)
				for _, r := range relays {
					r.Notify()
				}
			}
			require.ElementsMatch(t, ids(entries), ids(to.wait(t)))
			relayed := uint64(0)
			for _, r := range relays {
				relayed += empty(t, r).Relayed
			}
			require.EqualValues(t, 600, relayed, "nobody takes what another has taken")
		})
	}
}

// TestLateCommit has an entry commit behind others that were made after it.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	for _, d := range []string{dialect.Postgres, dialect.MySQL} { // SQLite has one writer
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			early := audittest.Sample(t, 1)
			query, args, err := table.Insert(d, store.OutboxTable, early)
			require.NoError(t, err)
			tx, err := app.db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), query, args...)
			require.NoError(t, err)

			later := app.write(t, audittest.Sample(t, 5))
			to, all := expect(5), expect(6)
			r := app.relay(t, entaudit.Multi(to, all), outbox.Config{})
			require.Equal(t, ids(later), ids(to.wait(t)))
			require.NoError(t, tx.Commit())
			require.Contains(t, ids(all.wait(t)), early[0].ID)
			empty(t, r)
		})
	}
}

// TestF29OneConnection has the application's database and the destination be one, with
// one connection.
func TestF29OneConnection(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			app.db.SetMaxOpenConns(1)
			require.NoError(t, store.Migrate(t.Context(), app.drv))
			s, err := store.New(app.drv, store.Config{})
			require.NoError(t, err)
			entries := app.write(t, audittest.Sample(t, 150))
			to := expect(len(entries))
			r := app.relay(t, entaudit.Multi(s, to), outbox.Config{Batch: 60})
			require.NoError(t, r.Check(t.Context()))
			require.NoError(t, r.Health(t.Context()))
			to.wait(t)
			empty(t, r)
			page, err := s.List(t.Context(), store.Filter{Limit: 1000})
			require.NoError(t, err)
			require.Len(t, page.Entries, len(entries))
		})
	}
}

// TestGivenUp closes a relay whose writer hangs: the batch is for others at once.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	entries := app.write(t, audittest.Sample(t, 5))
	began := make(chan struct{})
	first, err := outbox.New(app.drv, entaudit.WriterFunc(func(ctx context.Context, _ []entaudit.Entry) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	}), outbox.Config{})
	require.NoError(t, err)
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = first.Close(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, err, first.Close(t.Context()))
	to := expect(len(entries))
	r := app.relay(t, to, outbox.Config{})
	require.Equal(t, ids(entries), ids(to.wait(t)))
	empty(t, r)
}

// TestLease has a relay lose its database, as one that is killed does, with a batch in
// its hands.
func TestLease(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			app := setup(t, d)
			entries := app.write(t, audittest.Sample(t, 5))
			lost, err := sql.Open(app.driver, app.dsn)
			require.NoError(t, err)
			cfg := outbox.Config{Timeout: 200 * time.Millisecond, Lease: time.Second}
			began := make(chan struct{}, 10)
			first, err := outbox.New(entsql.OpenDB(d, lost), entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error {
				began <- struct{}{}
				return lost.Close()
			}), cfg)
			require.NoError(t, err)
			<-began
			to := expect(len(entries))
			r := app.relay(t, to, outbox.Config{})
			require.Equal(t, ids(entries), ids(to.wait(t)))
			empty(t, r)
			require.NoError(t, first.Close(t.Context()))
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	drv, w := entsql.OpenDB(dialect.SQLite, testdb.Open(t, dialect.SQLite)), &audittest.Memory{}
	for _, tt := range []struct {
		name string
		drv  dialect.Driver
		w    entaudit.Writer
		cfg  outbox.Config
		want string
	}{
		{"driver", nil, w, outbox.Config{}, "outbox: driver is nil"},
		{"writer", drv, nil, outbox.Config{}, "outbox: the writer is nil"},
		{"dialect", entsql.OpenDB("gremlin", nil), w, outbox.Config{}, `outbox: dialect "gremlin" is not supported`},
		{"table", drv, w, outbox.Config{Table: "a b"}, `outbox: Config.Table: "a b" is not a table name`},
		{"batch", drv, w, outbox.Config{Batch: 1001}, "outbox: Config.Batch: 1001 is not between 1 and 1000"},
		{"poll", drv, w, outbox.Config{Poll: -1}, "outbox: Config.Poll: -1ns is negative"},
		{"lease", drv, w, outbox.Config{Lease: time.Second}, "outbox: Config.Lease: 1s is not longer than the timeout of 10s"},
		{"backoff", drv, w, outbox.Config{Backoff: 2, MaxBackoff: 1}, "outbox: Config.MaxBackoff: 1ns is less than the backoff of 2ns"},
		{"attempts", drv, w, outbox.Config{Attempts: -1}, "outbox: Config.Attempts: -1 is negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := outbox.New(tt.drv, tt.w, tt.cfg)
			require.EqualError(t, err, tt.want)
		})
	}
}

// TestCheckAndHealth has no outbox, and then one whose entries get nowhere.
func TestCheckAndHealth(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			bare := application{drv: entsql.OpenDB(d, testdb.Open(t, d))}
			r := bare.relay(t, &audittest.Memory{}, outbox.Config{})
			require.ErrorContains(t, r.Check(t.Context()), "call store.MigrateOutbox")
			require.Eventually(t, func() bool { return r.Health(t.Context()) != nil }, patience, time.Millisecond)

			app := setup(t, d)
			entries := app.write(t, audittest.Sample(t, 2))
			tried := make(chan struct{}, 100)
			r = app.relay(t, entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error {
				select {
				case tried <- struct{}{}:
				default:
				}
				return errAway
			}), outbox.Config{Late: time.Nanosecond})
			for range 20 {
				<-tried
			}
			require.Eventually(t, func() bool { return r.Recent().Pending == 2 }, patience, time.Millisecond)
			err := r.Health(t.Context())
			require.ErrorContains(t, err, "outbox: 2 entries wait, the first since")
			require.ErrorIs(t, err, errAway)
			s, err := r.Stats(t.Context())
			require.NoError(t, err)
			require.WithinDuration(t, entries[0].OccurredAt, s.Oldest, time.Second)
			require.NotZero(t, s.Retried)
			require.Zero(t, s.Refused)
			require.True(t, slices.IsSortedFunc(entries, func(a, b entaudit.Entry) int { return slices.Compare(a.ID[:], b.ID[:]) }))
		})
	}
}
