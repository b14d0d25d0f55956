package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// patience bounds what must not hang.
const patience = time.Minute

// application is the database that entries wait in.
type application struct {
	driver, dsn string
	db          *sql.DB
	drv         dialect.Driver
	entries     *store.Store
}

func setup(t *testing.T, dialectName string) application {
	t.Helper()
	driver, dsn := testdb.DSN(t, dialectName)
	return at(t, dialectName, driver, dsn)
}

func at(t *testing.T, dialectName, driver, dsn string) application {
	t.Helper()
	db := testdb.OpenDSN(t, driver, dsn)
	drv := entsql.OpenDB(dialectName, db)
	require.NoError(t, store.MigrateOutbox(t.Context(), drv))
	s, err := store.New(drv, store.Config{Table: store.OutboxTable})
	require.NoError(t, err)
	require.NoError(t, s.Check(t.Context()))
	return application{driver, dsn, db, drv, s}
}

// write puts entries into the outbox.
func (a application) write(t *testing.T, entries []entaudit.Entry) []entaudit.Entry {
	t.Helper()
	require.NoError(t, a.entries.Write(t.Context(), entries))
	return entries
}

// relay starts a relay, which ends with the test.
func (a application) relay(t *testing.T, w entaudit.Writer, cfg outbox.Config) *outbox.Relay {
	t.Helper()
	cfg.Poll, cfg.Backoff, cfg.MaxBackoff = 5*time.Millisecond, time.Millisecond, 20*time.Millisecond
	r, err := outbox.New(a.drv, w, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, r.Close(ctx))
	})
	return r
}

// empty waits until nothing is left in the outbox, and closes the relay.
func empty(t *testing.T, r *outbox.Relay) outbox.Stats {
	t.Helper()
	require.Eventually(t, func() bool {
		s, err := r.Stats(t.Context())
		return err == nil && s.Pending == 0
	}, patience, 10*time.Millisecond)
	require.NoError(t, r.Close(t.Context()))
	s, err := r.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, s.Pending, "last error: %v", s.LastError)
	require.True(t, s.Oldest.IsZero())
	return s
}

// destination keeps entries, but those that tell of outages, tells when there are enough,
// and refuses what it is told to.
type destination struct {
	audittest.Memory

	refuse func(entries []entaudit.Entry) error

	mu    sync.Mutex
	want  int
	whole chan struct{}
}

// expect returns a destination that waits for n entries.
func expect(n int) *destination { return &destination{want: n, whole: make(chan struct{})} }

func (d *destination) Write(ctx context.Context, entries []entaudit.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		if err := d.refuse(entries); err != nil {
			return err
		}
	}
	before := d.Len()
	entries = slices.DeleteFunc(slices.Clone(entries), func(e entaudit.Entry) bool { return e.Action == "audit.outage" })
	if err := d.Memory.Write(ctx, entries); err != nil {
		return err
	}
	if before < d.want && d.Len() >= d.want {
		close(d.whole)
	}
	return nil
}

// wait returns the entries as soon as there are enough.
func (d *destination) wait(t *testing.T) []entaudit.Entry {
	t.Helper()
	select {
	case <-d.whole:
	case <-time.After(patience):
		t.Fatalf("%d entries arrive of %d", d.Len(), d.want)
	}
	return d.Entries()
}

func ids(entries []entaudit.Entry) []uuid.UUID {
	list := make([]uuid.UUID, len(entries))
	for i := range entries {
		list[i] = entries[i].ID
	}
	return list
}

// without returns a function that refuses batches with certain entries.
func without(poison []entaudit.Entry) func([]entaudit.Entry) error {
	known := map[uuid.UUID]bool{}
	for _, e := range poison {
		known[e.ID] = true
	}
	return func(entries []entaudit.Entry) error {
		for _, e := range entries {
			if known[e.ID] {
				return errPoison
			}
		}
		return nil
	}
}

var (
	errPoison = errors.New("an entry is refused")
	errAway   = errors.New("the destination is away")
)
