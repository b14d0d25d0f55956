package torture_test

import (
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/account"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// requireUnsupported asserts that err is an UnsupportedError for the type and that
// nothing was changed.
func requireUnsupported(t *testing.T, b *bundle, err error, of string) {
	t.Helper()
	var u *entaudit.UnsupportedError
	require.ErrorAs(t, err, &u)
	require.Equal(t, of, u.Type)
	require.Equal(t, "upsert", u.Operation)
	require.NotEmpty(t, u.Hint)
	require.Empty(t, b.entries(t))
	b.oracle.compare(t)
	require.Zero(t, b.db.Stats().InUse)
}

// TestCase30NewID: raw new values give a row that is there the id that was proposed for a
// new one. No entry can tell of that.
func TestCase30NewID(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		a := seedAccount(t, b)
		b.oracle.forget(t)
		on := []entsql.ConflictOption{entsql.ConflictColumns(account.FieldEmail), entsql.ResolveWithNewValues()}
		one := func(c *ent.Client) *ent.AccountCreate {
			return c.Account.Create().SetTenant("acme").SetCode("b").SetEmail("a@b.c")
		}
		err := one(b.client).OnConflict(on...).Exec(t.Context())
		requireUnsupported(t, b, err, "Account")
		require.ErrorContains(t, err, "UpdateNewValues")
		err = b.client.Account.CreateBulk(one(b.client), b.client.Account.Create().SetTenant("acme").SetCode("new")).
			OnConflict(on...).Exec(t.Context())
		requireUnsupported(t, b, err, "Account")
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		err = one(tx.Client()).OnConflict(on...).Exec(t.Context())
		require.ErrorContains(t, err, "another id")
		require.ErrorContains(t, tx.Commit(), "could not be recorded")
		requireUnsupported(t, b, err, "Account")
		require.Equal(t, a.ID, b.plain.Account.Query().OnlyIDX(t.Context()))
	})
}

// TestCase33RowsWithoutKey: MySQL does not tell the ids of rows in bulk, and nothing else
// leads to them.
func TestCase33RowsWithoutKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ann := seedUser(t, b)
		b.oracle.forget(t)
		err := b.client.User.CreateBulk(
			b.client.User.Create().SetName("one"), b.client.User.Create().SetName("two").SetEmail("ann@example.com"),
		).OnConflictColumns(user.FieldEmail).Update(func(u *ent.UserUpsert) { u.UpdateName() }).Exec(t.Context())
		if b.dialect == dialect.MySQL {
			requireUnsupported(t, b, err, "User")
			return
		}
		require.NoError(t, err)
		e := b.entries(t)
		require.Len(t, e, 2)
		require.Equal(t, fmt.Sprint(ann.ID), e[1].Resource.ID)
		requireChanges(t, map[string]string{"name": `"ann" → "two"`}, e[1])
		b.oracle.compare(t)
	})
}

// TestCase30PartialIndex: a row that only a partial index would meet does no harm.
func TestCase30PartialIndex(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		if b.dialect == dialect.MySQL {
			t.Skip("MySQL has no partial indexes")
		}
		var name string
		query := "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%tenant%code%'"
		if b.dialect == dialect.Postgres {
			query = "SELECT indexname FROM pg_indexes WHERE tablename = 'accounts' AND indexdef LIKE '%tenant%code%'"
		}
		require.NoError(t, b.db.QueryRowContext(t.Context(), query).Scan(&name))
		b.oracle.exec(t, `DROP INDEX "`+name+`"`)
		b.oracle.exec(t, `CREATE UNIQUE INDEX partial ON accounts (tenant, code) WHERE balance > 0`)
		old := b.plain.Account.Create().SetTenant("acme").SetCode("a").SaveX(t.Context())
		b.oracle.forget(t)
		for i := range 2 {
			b.client.Account.Create().SetTenant("acme").SetCode("a").SetBalance(5+i).OnConflict(
				entsql.ConflictColumns(account.FieldTenant, account.FieldCode), entsql.ConflictWhere(entsql.ExprP("balance > 0")),
			).UpdateNewValues().ExecX(t.Context())
		}
		e := b.entries(t)
		require.Len(t, e, 2)
		require.Equal(t, entaudit.OpCreate, e[0].Operation)
		require.NotEqual(t, old.ID.String(), e[0].Resource.ID)
		requireChanges(t, map[string]string{"balance": "5 → 6"}, e[1])
		b.oracle.compare(t)
	})
}

// TestCase30UnknownIndex: PostgreSQL tells of a row that was met by a key which the graph
// does not know; so does MySQL where it makes the id.
func TestCase30UnknownIndex(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		if b.dialect == dialect.SQLite {
			t.Skip("SQLite does not tell")
		}
		b.oracle.exec(t, "CREATE UNIQUE INDEX unknown ON users (nick)")
		ann := b.plain.User.Create().SetName("ann").SetNick("n").SetAge(1).SaveX(t.Context())
		b.oracle.forget(t)
		b.client.User.Create().SetName("bob").SetNick("n").OnConflictColumns(user.FieldNick).
			Update(func(u *ent.UserUpsert) { u.AddAge(1) }).ExecX(t.Context())
		e := b.entries(t)
		require.Len(t, e, 1)
		require.Equal(t, fmt.Sprint(ann.ID), e[0].Resource.ID)
		requireChanges(t, map[string]string{"age": "1 → 2"}, e[0])
		b.oracle.compare(t)
	})
}
