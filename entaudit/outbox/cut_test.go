package outbox_test

import (
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/fault"
	"github.com/entaudit/audit/internal/testdb"
)

// TestF09F10F11Relay loses the connections of a relay, to either database, at every
// statement that it executes: before, after, and in the middle.
func TestF09F10F11Relay(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			app := setup(t, dialect.Postgres)
			proxy, err := fault.New(t.Context(), dialect.Postgres, testdb.Address(app.dsn))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, proxy.Close()) })
			through := func(dsn string) *entsql.Driver {
				db := testdb.OpenDSN(t, app.driver, testdb.WithParam(testdb.WithAddress(dsn, proxy.Addr()), "default_query_exec_mode", mode))
				return entsql.OpenDB(dialect.Postgres, db)
			}
			driver, dsn := testdb.DSN(t, dialect.Postgres)
			require.NoError(t, store.Migrate(t.Context(), entsql.OpenDB(dialect.Postgres, testdb.OpenDSN(t, driver, dsn))))
			to, err := store.New(through(dsn), store.Config{})
			require.NoError(t, err)

			// A relay that loses the answer to its claim takes the batch again when the
			// lease is over.
			cfg := outbox.Config{Batch: 60, Timeout: 2 * time.Second, Lease: 3 * time.Second}
			own := app
			own.drv = through(app.dsn)
			r := own.relay(t, to, cfg)
			var all []entaudit.Entry
			for _, cuts := range [][]fault.Cut{
				{{Query: "with due"}, {Query: "copy"}, {Query: "delete"}},
				{{Answer: "COPY"}, {Answer: "DELETE"}},
				{{Answer: "COPY"}, {Answer: "SELECT"}, {Answer: "SELECT"}, {Answer: "SELECT"}},
				{{Answer: "UPDATE 60"}},
				{{Bytes: 1000}, {Bytes: 20_000}, {Bytes: 30_000}},
			} {
				before := proxy.Cuts()
				proxy.Arm(cuts...)
				all = append(all, app.write(t, audittest.Sample(t, 60))...)
				require.Eventually(t, func() bool {
					var n int // past the proxy
					err := app.db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_outbox").Scan(&n)
					return err == nil && n == 0 && proxy.Cuts() == before+len(cuts)
				}, patience, 10*time.Millisecond, "%+v", cuts)
			}
			empty(t, r)
			require.NoError(t, to.Write(t.Context(), all), "what arrived has other content")
			page, err := to.List(t.Context(), store.Filter{Limit: store.MaxLimit, Oldest: true})
			require.NoError(t, err)
			require.Equal(t, ids(all), ids(page.Entries))
		})
	}
}
