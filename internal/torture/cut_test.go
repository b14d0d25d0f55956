package torture_test

import (
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
			client := ent.NewClient(ent.Driver(entsql.OpenDB(mode.dialect, db)), ent.Auditor(b.rec))

			mutate := func(name string, inTx bool, cut fault.Cut) (failed, exists bool) {
				before := proxy.Cuts()
				proxy.Arm(cut)
				failed = create(t, client, name, inTx) != nil
				proxy.Arm()
				require.Equal(t, failed, proxy.Cuts() > before, "%+v", cut)
				b.oracle.compare(t)
				return failed, b.plain.User.Query().Where(user.Name(name)).ExistX(t.Context())
			}
			for _, inTx := range []bool{false, true} {
				failed, exists := mutate("before", inTx, fault.Cut{Query: "commit"})
				require.True(t, failed)
				require.False(t, exists)
			}
			for at := 1; ; at += 61 {
				failed, exists := mutate("within", at%2 == 0, fault.Cut{Bytes: at})
				if !failed {
					require.True(t, exists)
					require.Greater(t, at, 300, "what a mutation sends is shorter than it can be")
					break
				}
				require.False(t, exists, "cut after %d bytes", at)
			}
			for _, inTx := range []bool{false, true} {
				failed, exists := mutate("after", inTx, fault.Cut{Answer: "COMMIT"})
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
