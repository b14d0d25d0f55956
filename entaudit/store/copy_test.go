package store_test

import (
	"fmt"
	"slices"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// how adds a column that tells which statement has stored an entry.
const how = "ALTER TABLE audit_logs ADD COLUMN how text DEFAULT split_part(current_query(), ' ', 1)"

// TestCopy looks at which statement stores entries on PostgreSQL, and that what COPY
// stores comes back as it was.
func TestCopy(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, dialect.Postgres)
			db := testdb.OpenDSN(t, driver, testdb.WithParam(dsn, "default_query_exec_mode", mode))
			db.SetMaxOpenConns(1)
			drv := entsql.OpenDB(dialect.Postgres, db)
			require.NoError(t, store.Migrate(t.Context(), drv))
			_, err := db.ExecContext(t.Context(), how)
			require.NoError(t, err)
			s, err := store.New(drv, store.Config{})
			require.NoError(t, err)

			few, many := audittest.Sample(t, 20), audittest.Sample(t, 40)
			for range 3 {
				many = append(many, audittest.Hostile(t)...)
			}
			require.NoError(t, s.Write(t.Context(), few))
			require.NoError(t, s.Write(t.Context(), many))
			require.Equal(t, []string{"COPY", "INSERT"}, column(t, db, "SELECT DISTINCT how FROM audit_logs ORDER BY how"))
			page, err := s.List(t.Context(), store.Filter{Oldest: true, Limit: store.MaxLimit})
			require.NoError(t, err)
			require.Len(t, page.Entries, len(few)+len(many))
			all := slices.Concat(few, many)
			require.NoError(t, s.Write(t.Context(), all), "some come back with other content")

			forged := slices.Clone(all[20:])
			forged[7].Reason = "another"
			require.ErrorIs(t, s.Write(t.Context(), append(forged, audittest.Sample(t, 60)...)), store.ErrConflict)
			require.Len(t, column(t, db, "SELECT id::text FROM audit_logs"), len(all)+60)
		})
	}
}

// TestCopyRefused has tables that take no COPY, and drivers that know none.
func TestCopyRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, change string }{
		{"row-level security", `ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
			CREATE POLICY mine ON audit_logs USING (tenant_id = 'acme'); GRANT ALL ON audit_logs TO pg_monitor; SET ROLE pg_monitor`},
		{"view", "ALTER TABLE audit_logs RENAME TO kept; CREATE VIEW audit_logs AS SELECT * FROM kept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := testdb.Open(t, dialect.Postgres)
			db.SetMaxOpenConns(1) // SET ROLE holds for the connection
			drv := entsql.OpenDB(dialect.Postgres, db)
			require.NoError(t, store.Migrate(t.Context(), drv))
			_, err := db.ExecContext(t.Context(), how+";"+tt.change)
			require.NoError(t, err)
			s, err := store.New(drv, store.Config{})
			require.NoError(t, err)
			entries := audittest.Sample(t, 200)
			require.NoError(t, s.Write(t.Context(), entries[:100]))
			require.NoError(t, s.Write(t.Context(), entries))
			require.Len(t, column(t, db, "SELECT id::text FROM audit_logs WHERE how = 'INSERT'"), 200)
		})
	}
	t.Run("another driver", func(t *testing.T) {
		t.Parallel()
		db := testdb.Open(t, dialect.Postgres)
		drv := dialect.Debug(entsql.OpenDB(dialect.Postgres, db), func(...any) {})
		require.NoError(t, store.Migrate(t.Context(), drv))
		s, err := store.New(drv, store.Config{})
		require.NoError(t, err)
		require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 100)))
	})
}

// BenchmarkWrite stores entries on each database, so many at once.
func BenchmarkWrite(b *testing.B) {
	for _, d := range testdb.Dialects() {
		for _, n := range []int{1, 20, 50, 100, 1000} {
			b.Run(fmt.Sprint(d, "/", n), func(b *testing.B) {
				s, _ := setup(b, d)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					entries := audittest.Sample(b, n)
					b.StartTimer()
					require.NoError(b, s.Write(b.Context(), entries))
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}
