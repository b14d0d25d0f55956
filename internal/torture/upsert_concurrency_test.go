package torture_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/account"
	counters "github.com/entaudit/audit/internal/torture/ent/counter"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// hit counts a counter that may not be there yet.
func hit(ctx context.Context, c *ent.Client) error {
	return c.Counter.Create().SetName("visits").SetHits(1).OnConflictColumns(counters.FieldName).
		Update(func(u *ent.CounterUpsert) { u.AddHits(1) }).Exec(ctx)
}

// hitAccount does the same for a row whose id the client makes.
func hitAccount(ctx context.Context, c *ent.Client) error {
	return c.Account.Create().SetTenant("t").SetCode("c").SetBalance(1).
		OnConflictColumns(account.FieldTenant, account.FieldCode).
		Update(func(u *ent.AccountUpsert) { u.AddBalance(1) }).Exec(ctx)
}

// TestCase30ConcurrentUpserts has many upsert one row that is not there: one of them
// creates it and all the others update it, each what the one before has left.
func TestCase30ConcurrentUpserts(t *testing.T) {
	t.Parallel()
	ways := map[string]func(b *bundle) error{
		"hits": func(b *bundle) error { return hit(t.Context(), b.client) },
		"hits in bulk": func(b *bundle) error {
			return b.client.Counter.CreateBulk(b.client.Counter.Create().SetName("visits").SetHits(1)).
				OnConflictColumns(counters.FieldName).Update(func(u *ent.CounterUpsert) { u.AddHits(1) }).Exec(t.Context())
		},
		"balance": func(b *bundle) error { return hitAccount(t.Context(), b.client) },
		"balance in a transaction": func(b *bundle) error {
			tx, err := b.client.Tx(t.Context())
			if err != nil {
				return err
			}
			if err := hitAccount(t.Context(), tx.Client()); err != nil {
				return fmt.Errorf("%w: %w", err, tx.Rollback())
			}
			return tx.Commit()
		},
	}
	each(t, func(t *testing.T, b *bundle) {
		for name, way := range ways {
			t.Run(name, func(t *testing.T) {
				if b.dialect == dialect.SQLite && strings.HasSuffix(name, "transaction") {
					t.Skip("SQLite: a transaction of the caller's that writes second fails as without recording")
				}
				b.clear(t)
				together(t, 50, func(int) error { return way(b) })
				b.oracle.compare(t)
				e := chained(b.entries(t))
				require.Len(t, e, 50)
				for i, e := range e {
					require.Equal(t, i == 0, e.Operation == entaudit.OpCreate, "entry %d", i)
				}
				field, _, _ := strings.Cut(name, " ")
				requireChain(t, e, field, 50)
			})
		}
	})
}

// chained returns entries in the order of their commits, which their new values are in:
// their ids are older than the locks that they waited for.
func chained(entries []entaudit.Entry) []entaudit.Entry {
	list := make([]entaudit.Entry, len(entries))
	for _, e := range entries {
		for _, field := range []string{"hits", "balance"} {
			var n int
			if c, ok := e.Change(field); ok {
				if _, err := fmt.Sscan(string(c.New), &n); err == nil && n >= 1 && n <= len(list) {
					list[n-1] = e
				}
			}
		}
	}
	return list
}

// insertMeanwhile has somebody else insert the account while the next upsert of it has
// read and not yet written.
func insertMeanwhile(t *testing.T, b *bundle, times int) {
	t.Helper()
	b.drv.onStatement(func(query string) {
		if !strings.HasPrefix(query, "SELECT") || !strings.Contains(query, "accounts") || times == 0 {
			return
		}
		times--
		insert := "INSERT INTO accounts (id, tenant, code, balance) VALUES ('" + uuid.NewString() + "', 't', 'c', 40)"
		_, err := b.db.ExecContext(context.Background(), insert)
		require.NoError(t, err)
	})
}

// TestCase30RowThatSlipsIn: what the caller did before it in his transaction stands.
func TestCase30RowThatSlipsIn(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		if name == dialect.SQLite {
			continue // nobody else can write meanwhile
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			insertMeanwhile(t, b, 1)
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			tx.User.Create().SetName("before").ExecX(t.Context())
			require.NoError(t, hitAccount(t.Context(), tx.Client()))
			tx.User.Create().SetName("after").ExecX(t.Context())
			require.NoError(t, tx.Commit())
			e := b.entries(t)
			require.Len(t, e, 3)
			require.Equal(t, entaudit.OpUpdate, e[1].Operation)
			requireChanges(t, map[string]string{"balance": "40 → 41"}, e[1])
			require.Equal(t, 2, b.plain.User.Query().Where(user.NameIn("before", "after")).CountX(t.Context()))
		})
	}
}

// TestCase30OnTheCallersTx does the same on a *sql.Tx of the caller's.
func TestCase30OnTheCallersTx(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	insertMeanwhile(t, b, 0)
	stdtx, err := b.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	c := ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: stdtx})), ent.Auditor(b.rec))
	require.NoError(t, hitAccount(t.Context(), c))
	require.NoError(t, hitAccount(t.Context(), c))
	require.NoError(t, stdtx.Commit())
	b.oracle.compare(t)
	e := b.entries(t)
	require.Len(t, e, 2)
	requireChain(t, e, "balance", 2)
}

// TestCase30SerializationFailure: under repeatable read the database itself refuses.
func TestCase30SerializationFailure(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	insertMeanwhile(t, b, 1)
	tx, err := b.client.BeginTx(t.Context(), &entsql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	require.ErrorContains(t, hitAccount(t.Context(), tx.Client()), "40001")
	require.NoError(t, tx.Rollback())
	require.Empty(t, b.entries(t))
}

// TestCase32YoungerThanTheTransaction leaves a row alone that the transaction does not see:
// on MySQL it was made after the first read.
func TestCase32YoungerThanTheTransaction(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		if name == dialect.SQLite {
			continue // nobody else can write meanwhile
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			require.Zero(t, tx.Account.Query().CountX(t.Context()))
			a := b.plain.Account.Create().SetTenant("t").SetCode("c").SetBalance(3).SaveX(t.Context())
			b.oracle.forget(t)
			one := func() *ent.AccountCreate { return tx.Account.Create().SetTenant("t").SetCode("c") }
			one().OnConflictColumns(account.FieldTenant, account.FieldCode).Ignore().ExecX(t.Context())
			require.NoError(t, hitAccount(t.Context(), tx.Client()))
			require.NoError(t, tx.Commit())
			e := b.entries(t)
			require.Len(t, e, 1)
			require.Equal(t, a.ID.String(), e[0].Resource.ID)
			requireChanges(t, map[string]string{"balance": "3 → 4"}, e[0])
			b.oracle.compare(t)
		})
	}
}
