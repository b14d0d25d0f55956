package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/fault"
	"github.com/entaudit/audit/internal/testdb"
)

// through returns a store whose connections go through a proxy that cuts them, and a
// pool that goes past it. The mode is one of pgx.
func through(t *testing.T, dialectName, mode string) (*store.Store, *fault.Proxy, *sql.DB) {
	t.Helper()
	driver, dsn := testdb.DSN(t, dialectName)
	direct := testdb.OpenDSN(t, driver, dsn)
	require.NoError(t, store.Migrate(t.Context(), entsql.OpenDB(dialectName, direct)))
	proxy, err := fault.New(t.Context(), dialectName, testdb.Address(dsn))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proxy.Close()) })
	through := testdb.WithAddress(dsn, proxy.Addr())
	if mode != "" {
		through = testdb.WithParam(through, "default_query_exec_mode", mode)
	}
	s, err := store.New(entsql.OpenDB(dialectName, testdb.OpenDSN(t, driver, through)), store.Config{})
	require.NoError(t, err)
	return s, proxy, direct
}

// stored requires that the entries, and no others, are in the table, each once.
func stored(t *testing.T, dialectName string, db *sql.DB, entries []entaudit.Entry) {
	t.Helper()
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_logs").Scan(&n))
	require.Equal(t, len(entries), n)
	s, err := store.New(entsql.OpenDB(dialectName, db), store.Config{})
	require.NoError(t, err)
	require.NoError(t, s.Write(t.Context(), entries), "what is stored has another content")
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_logs").Scan(&n))
	require.Equal(t, len(entries), n)
}

// TestF09F10F11Writer loses the connection while entries are written: when they are
// stored and nobody says so, before they reach the server, and in the middle. By the
// end of Write each is stored exactly once.
func TestF09F10F11Writer(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct{ dialect, mode string }{
		{dialect.Postgres, "cache_statement"}, {dialect.Postgres, "exec"}, {dialect.Postgres, "simple_protocol"}, {dialect.MySQL, ""},
	} {
		for _, n := range []int{1, 10, 300} { // a row, several rows, COPY
			t.Run(fmt.Sprint(mode.dialect, mode.mode, n), func(t *testing.T) {
				t.Parallel()
				s, proxy, db := through(t, mode.dialect, mode.mode)
				var all []entaudit.Entry
				write := func(cuts ...fault.Cut) {
					before := proxy.Cuts()
					proxy.Arm(cuts...)
					entries := audittest.Sample(t, n)
					all = append(all, entries...)
					require.NoError(t, s.Write(t.Context(), entries), "%+v", cuts)
					require.Equal(t, before+len(cuts), proxy.Cuts(), "%+v did not happen", cuts)
				}
				answer, query := fault.Cut{Answer: "INSERT"}, fault.Cut{Query: "insert"}
				if n >= 50 && mode.dialect == dialect.Postgres {
					answer, query = fault.Cut{Answer: "COPY"}, fault.Cut{Query: "copy"}
				}
				lookup := fault.Cut{Answer: "SELECT"}
				write(query, answer, lookup) // the first, which is parsed in every mode
				write(answer)
				write(answer, lookup, lookup)
				stored(t, mode.dialect, db, all)
			})
		}
	}
}

// TestF11Anywhere cuts the connection after every so many bytes of what is sent.
func TestF11Anywhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialect string
		n       int
	}{
		{dialect.Postgres, 3}, {dialect.Postgres, 60}, {dialect.MySQL, 3}, // several rows, COPY
	} {
		n := c.n
		t.Run(fmt.Sprint(c.dialect, n), func(t *testing.T) {
			t.Parallel()
			s, proxy, db := through(t, c.dialect, "")
			require.NoError(t, s.Write(t.Context(), nil))
			var all []entaudit.Entry
			for at := 1; ; at += 97 * n {
				before := proxy.Cuts()
				proxy.Arm(fault.Cut{Bytes: at})
				entries := audittest.Sample(t, n)
				all = append(all, entries...)
				require.NoError(t, s.Write(t.Context(), entries), "cut after %d bytes", at)
				if proxy.Cuts() == before {
					require.Greater(t, at, 500*n, "what is sent is shorter than the entries")
					break
				}
			}
			proxy.Arm()
			stored(t, c.dialect, db, all)
		})
	}
}

// TestF09Unsettled has the connection lost until there is no time left.
func TestF09Unsettled(t *testing.T) {
	t.Parallel()
	s, proxy, db := through(t, dialect.Postgres, "")
	entries := audittest.Sample(t, 10)
	cuts := []fault.Cut{{Answer: "INSERT"}}
	for range 20 {
		cuts = append(cuts, fault.Cut{Answer: "SELECT"})
	}
	proxy.Arm(cuts...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.Error(t, s.Write(ctx, entries), "nobody knows whether they are stored")
	proxy.Arm()
	require.NoError(t, s.Write(t.Context(), entries), "their ids tell")
	stored(t, dialect.Postgres, db, entries)
}
