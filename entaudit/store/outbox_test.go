package store_test

import (
	"io/fs"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// TestMigrateOutbox makes both tables in one database, in either order, and writes to
// the one that is asked for.
func TestMigrateOutbox(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			db := testdb.Open(t, d)
			drv := entsql.OpenDB(d, db)
			s, err := store.New(drv, store.Config{Table: store.OutboxTable})
			require.NoError(t, err)
			require.NoError(t, store.Migrate(t.Context(), drv))
			require.ErrorContains(t, s.Check(t.Context()), "call store.MigrateOutbox or apply the files of store/migrations/outbox/"+d)
			for range 2 {
				require.NoError(t, store.MigrateOutbox(t.Context(), drv))
			}
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 3)))
			var n int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_outbox").Scan(&n))
			require.Equal(t, 3, n)
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_logs").Scan(&n))
			require.Zero(t, n)

			files, err := store.OutboxMigrations(d)
			require.NoError(t, err)
			names, err := fs.Glob(files, "*.up.sql")
			require.NoError(t, err)
			require.Equal(t, []string{"0001_audit_outbox.up.sql"}, names)
		})
	}
	_, err := store.OutboxMigrations("gremlin")
	require.Error(t, err)
}

// TestF21CheckWrites has tables that can be read and take no entry of this version.
func TestF21CheckWrites(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, db := setup(t, d)
			require.NoError(t, s.Check(t.Context()))
			require.Empty(t, column(t, db, "SELECT id FROM audit_logs"), "nothing stays of a check")
			exec := func(query string) {
				_, err := db.ExecContext(t.Context(), query)
				require.NoError(t, err)
			}
			if d == dialect.SQLite {
				exec("CREATE TRIGGER closed BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(ABORT, 'closed'); END")
			} else {
				exec("ALTER TABLE audit_logs ADD CONSTRAINT older CHECK (kind <> 'system')")
			}
			require.ErrorContains(t, s.Check(t.Context()), "table audit_logs cannot be written")
		})
	}
}

// TestW25F03Unreachable asks for a database that nobody listens for, or whose password
// is not known.
func TestW25F03Unreachable(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]struct{ dialect, driver, dsn string }{
		"postgres": {dialect.Postgres, "pgx", "postgres://app:***@127.0.0.1:1/app?sslmode=disable"},
		"mysql":    {dialect.MySQL, "mysql", "app:***@tcp(127.0.0.1:1)/app"},
		"sqlite":   {dialect.SQLite, "sqlite", "file:" + t.TempDir() + "/missing/audit.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := store.New(entsql.OpenDB(db.dialect, testdb.OpenDSN(t, db.driver, db.dsn)), store.Config{})
			require.NoError(t, err)
			require.ErrorContains(t, s.Check(t.Context()), "store: check: the database cannot be reached")
			require.Error(t, s.Write(t.Context(), audittest.Sample(t, 2)))
		})
	}
}
