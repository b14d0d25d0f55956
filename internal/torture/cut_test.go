package torture_test

import (
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/fault"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// TestF09F10F11Mutation loses the connection of a mutation: at its COMMIT, after it and
// anywhere before. Its row exists if and only if its entry does.
func TestF09F10F11Mutation(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct{ dialect, param, value string }{
		{dialect.Postgres, "default_query_exec_mode", "cache_statement"},
		{dialect.Postgres, "default_query_exec_mode", "simple_protocol"},
		{dialect.MySQL, "interpolateParams", "false"},
		{dialect.MySQL, "interpolateParams", "true"},
	} {
		t.Run(mode.dialect+"/"+mode.value, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, mode.dialect)
			b := open(t, mode.dialect, driver, dsn, entaudit.Config{})
			proxy, err := fault.New(t.Context(), mode.dialect, testdb.Address(dsn))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, proxy.Close()) })
			db := testdb.OpenDSN(t, driver, testdb.WithParam(testdb.WithAddress(dsn, proxy.Addr()), mode.param, mode.value))
			// Before it uses a connection that was idle for a second pgx asks whether it lives, and
			// takes another one where that is what is cut.
			db.SetMaxIdleConns(-1)
			client := ent.NewClient(ent.Driver(entsql.OpenDB(mode.dialect, db)), ent.Auditor(b.rec))

			// mutate reports too whether a connection was cut. It may be one that was about to end.
			mutate := func(name string, inTx bool, c fault.Cut) (failed, exists, cut bool) {
				before := proxy.Cuts()
				proxy.Arm(c)
				failed = create(t, client, name, inTx) != nil
				proxy.Arm()
				cut = proxy.Cuts() > before
				require.True(t, cut || !failed, "%+v", c)
				b.oracle.compare(t)
				return failed, b.plain.User.Query().Where(user.Name(name)).ExistX(t.Context()), cut
			}
			for _, inTx := range []bool{false, true} {
				failed, exists, _ := mutate("before", inTx, fault.Cut{Query: "commit"})
				require.True(t, failed)
				require.False(t, exists)
			}
			for at, try := 1, 0; ; try++ {
				failed, exists, cut := mutate(fmt.Sprint("within", try), at%2 == 0, fault.Cut{Bytes: at})
				require.Equal(t, !failed, exists, "cut after %d bytes", at)
				if !cut {
					require.Greater(t, at, 300, "what a mutation sends is shorter than it can be")
					break
				}
				if failed {
					at += 61
				}
			}
			for _, inTx := range []bool{false, true} {
				failed, exists, _ := mutate("after", inTx, fault.Cut{Answer: "COMMIT"})
				require.True(t, failed, "nobody knows whether it committed")
				require.True(t, exists)
			}
		})
	}
}

// create makes one row, in a transaction of the caller's or not.
func create(t *testing.T, c *ent.Client, name string, inTx bool) error {
	t.Helper()
	if !inTx {
		return c.User.Create().SetName(name).Exec(t.Context())
	}
	tx, err := c.Tx(t.Context())
	if err != nil {
		return err
	}
	if err := tx.User.Create().SetName(name).Exec(t.Context()); err != nil {
		_ = tx.Rollback() // the connection is lost
		return err
	}
	return tx.Commit()
}
