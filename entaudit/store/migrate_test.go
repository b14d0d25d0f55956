package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/ent"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, db := setup(t, d)
			require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 1)))
			before := describe(t, db, d)
			require.NoError(t, store.Migrate(t.Context(), entsql.OpenDB(d, db)))
			require.Equal(t, before, describe(t, db, d))
			page, err := s.List(t.Context(), store.Filter{})
			require.NoError(t, err)
			require.Len(t, page.Entries, 1)
		})
	}
}

func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, d)
			var wg sync.WaitGroup
			errs := make([]error, 6)
			for i := range errs {
				drv := entsql.OpenDB(d, testdb.OpenDSN(t, driver, dsn))
				wg.Go(func() { errs[i] = store.Migrate(t.Context(), drv) })
			}
			wg.Wait()
			require.NoError(t, errors.Join(errs...))
			var n int
			db := testdb.OpenDSN(t, driver, dsn)
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_schema").Scan(&n))
			require.Equal(t, 1, n)
		})
	}
}

// TestMigrateWithOneConnection checks that migrating needs no second connection.
func TestMigrateWithOneConnection(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			db := testdb.Open(t, d)
			db.SetMaxOpenConns(1)
			drv := entsql.OpenDB(d, db)
			require.NoError(t, store.Migrate(t.Context(), drv))
			s, err := store.New(drv, store.Config{})
			require.NoError(t, err)
			require.NoError(t, s.Check(t.Context()))
		})
	}
}

// TestMigrationsAgreeWithEnt compares what the SQL files create with what ent's
// migration of the mixin creates.
func TestMigrationsAgreeWithEnt(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		// One after the other: ent writes to the description of the tables.
		t.Run(d, func(t *testing.T) {
			_, files := setup(t, d)
			generated := testdb.Open(t, d)
			client := ent.NewClient(ent.Driver(entsql.OpenDB(d, generated)))
			require.NoError(t, client.Schema.Create(t.Context()))
			want := describe(t, files, d)
			require.Greater(t, len(want), 40)
			require.Equal(t, want, describe(t, generated, d))

			// Either finds nothing to do after the other.
			var plan strings.Builder
			for _, db := range []*sql.DB{files, generated} {
				client := ent.NewClient(ent.Driver(entsql.OpenDB(d, db)))
				require.NoError(t, client.Schema.WriteTo(t.Context(), &plan))
			}
			require.Empty(t, plan.String(), "ent's migration would change the table at each start")
			require.NoError(t, store.Migrate(t.Context(), entsql.OpenDB(d, generated)))
			require.Equal(t, want, describe(t, generated, d))
		})
	}
}

// describe returns one line per column, index and constraint of the audit table,
// as the database itself tells of them.
func describe(t *testing.T, db *sql.DB, dialectName string) []string {
	t.Helper()
	queries := map[string][]string{
		dialect.Postgres: {
			`SELECT format('%s %s %s null=%s default=%s', ordinal_position, column_name, udt_name, is_nullable, column_default)
				FROM information_schema.columns WHERE table_name = 'audit_logs'`,
			`SELECT indexdef FROM pg_indexes WHERE tablename = 'audit_logs'`,
			`SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'audit_logs'::regclass`,
		},
		dialect.MySQL: {
			`SELECT concat_ws(' ', ordinal_position, column_name, column_type, is_nullable, column_default, collation_name)
				FROM information_schema.columns WHERE table_schema = database() AND table_name = 'audit_logs'`,
			`SELECT concat_ws(' ', index_name, seq_in_index, column_name, non_unique)
				FROM information_schema.statistics WHERE table_schema = database() AND table_name = 'audit_logs'`,
			`SELECT concat_ws(' ', constraint_name, check_clause)
				FROM information_schema.check_constraints WHERE constraint_schema = database()`,
		},
		dialect.SQLite: {
			`SELECT concat_ws(' ', cid, name, type, "notnull", dflt_value, pk) FROM pragma_table_info('audit_logs')`,
			`SELECT replace(replace(sql, '"', ''), '` + "`" + `', '') FROM sqlite_master WHERE type = 'index' AND sql <> '' AND tbl_name = 'audit_logs'`,
			`SELECT replace(replace(replace(substr(sql, instr(sql, 'CONSTRAINT')), '"', ''), '` + "`" + `', ''), ' ', '')
				FROM sqlite_master WHERE name = 'audit_logs'`,
		},
	}
	var lines []string
	for _, query := range queries[dialectName] {
		lines = append(lines, column(t, db, query)...)
	}
	slices.Sort(lines)
	return lines
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		files, err := store.Migrations(d)
		require.NoError(t, err)
		names, err := fs.Glob(files, "*.up.sql")
		require.NoError(t, err)
		require.Equal(t, []string{"0001_audit_logs.up.sql"}, names)
	}
	_, err := store.Migrations("gremlin")
	require.Error(t, err)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			empty, err := store.New(entsql.OpenDB(d, testdb.Open(t, d)), store.Config{})
			require.NoError(t, err)
			err = empty.Check(t.Context())
			require.ErrorContains(t, err, "table audit_logs cannot be read")
			require.ErrorContains(t, err, "store.Migrate")

			s, db := setup(t, d)
			require.NoError(t, s.Check(t.Context()))
			exec := func(query string) {
				_, err := db.ExecContext(t.Context(), query)
				require.NoError(t, err)
			}
			exec("DELETE FROM audit_schema")
			require.NoError(t, s.Check(t.Context()), "another migration tool may look after the table")
			exec("INSERT INTO audit_schema (version, name) VALUES (9999, 'from a newer version')")
			require.ErrorContains(t, s.Check(t.Context()), "migration 0001_audit_logs is not applied")
			exec("INSERT INTO audit_schema (version, name) VALUES (1, '0001_audit_logs')")
			require.NoError(t, s.Check(t.Context()))
			exec("ALTER TABLE audit_logs DROP COLUMN edges")
			exec("ALTER TABLE audit_logs DROP COLUMN route")
			require.ErrorContains(t, s.Check(t.Context()), "table audit_logs has no column edges, route")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, s.Check(ctx), context.Canceled)
		})
	}
}

// TestCase80NewerTable has a table one version newer than the program.
func TestCase80NewerTable(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, db := setup(t, d)
			_, err := db.ExecContext(t.Context(), "ALTER TABLE audit_logs ADD COLUMN region varchar(20)")
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), "INSERT INTO audit_schema (version, name) VALUES (2, '0002_region')")
			require.NoError(t, err)
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, store.Migrate(t.Context(), entsql.OpenDB(d, db)))
			require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 1)))
			require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 2)))
			page, err := s.List(t.Context(), store.Filter{})
			require.NoError(t, err)
			require.Len(t, page.Entries, 3)
		})
	}
}

// column returns the one column that a query gives.
func column(t *testing.T, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		lines = append(lines, strings.ReplaceAll(strings.ReplaceAll(line, "IF NOT EXISTS ", ""), "\n", ""))
	}
	require.NoError(t, rows.Err())
	return lines
}
