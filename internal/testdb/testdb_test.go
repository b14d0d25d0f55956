package testdb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/testdb"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, d)
			first, second := testdb.OpenDSN(t, driver, dsn), testdb.OpenDSN(t, driver, dsn)
			_, err := first.ExecContext(t.Context(), "CREATE TABLE shared (id integer)")
			require.NoError(t, err)
			_, err = second.ExecContext(t.Context(), "INSERT INTO shared VALUES (1)")
			require.NoError(t, err, "two pools on one DSN see one database")

			other := testdb.Open(t, d)
			_, err = other.ExecContext(t.Context(), "SELECT id FROM shared")
			require.Error(t, err, "each call makes a database of its own")
		})
	}
}

func TestWithParam(t *testing.T) {
	t.Parallel()
	require.Equal(t, "file:x?a=1&b=c+d", testdb.WithParam("file:x?a=1", "b", "c d"))
	require.Equal(t, "file:x?b=c", testdb.WithParam("file:x", "b", "c"))
}

func TestWithAddress(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"postgres://u@127.0.0.1:5432/test?sslmode=disable": "postgres://u@127.0.0.1:1/test?sslmode=disable",
		"root:@tcp(127.0.0.1:3306)/test?parseTime=true":    "root:@tcp(127.0.0.1:1)/test?parseTime=true",
	} {
		require.Equal(t, want, testdb.WithAddress(dsn, "127.0.0.1:1"))
	}
	require.Equal(t, "127.0.0.1:3306", testdb.Address("root:@tcp(127.0.0.1:3306)/test"))
}

func TestExecModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, "postgres")
			db := testdb.OpenDSN(t, driver, testdb.WithParam(dsn, "default_query_exec_mode", mode))
			var got string
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT $1::text", "x").Scan(&got))
			require.Equal(t, "x", got)
		})
	}
}
