package torture_test

import (
	"fmt"
	"testing"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/account"
	counters "github.com/entaudit/audit/internal/torture/ent/counter"
)

// TestBudgetUpsert: one statement reads the rows that are there and one stores the
// entries. SQLite locks first. MySQL locks the rows that are there as well, and reads all
// after it. In a transaction of the caller's there are a savepoint and its end.
func TestBudgetUpsert(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, q := range upsertBudgets() {
			t.Run(q.name, func(t *testing.T) { q.check(t, b) })
		}
	})
}

func upsertAccounts(balance int) func(t *testing.T, c *ent.Client, n int) {
	return func(t *testing.T, c *ent.Client, n int) {
		t.Helper()
		c.Account.MapCreateBulk(make([]int, n), func(a *ent.AccountCreate, i int) {
			a.SetTenant("t").SetCode(fmt.Sprint(i)).SetBalance(balance)
		}).OnConflictColumns(account.FieldTenant, account.FieldCode).UpdateNewValues().ExecX(t.Context())
	}
}

func upsertCounter(hits int) func(t *testing.T, c *ent.Client, n int) {
	return func(t *testing.T, c *ent.Client, _ int) {
		t.Helper()
		c.Counter.Create().SetName("a").SetHits(hits).OnConflictColumns(counters.FieldName).UpdateNewValues().ExecX(t.Context())
	}
}

func upsertBudgets() []budget {
	return []budget{
		{name: "upsert of a new row", one: true, do: upsertCounter(1), plain: same(1), audited: costs(4, 3, 4), inTx: costs(6, 5, 6)},
		{
			name: "upsert of a row", one: true, seed: upsertCounter(1), do: upsertCounter(2),
			plain: same(1), audited: costs(4, 3, 5), inTx: costs(6, 5, 7),
		},
		{
			name: "upsert that changes nothing", one: true, seed: upsertCounter(1), do: upsertCounter(1),
			plain: same(1), audited: costs(3, 2, 4), inTx: costs(5, 4, 6),
		},
		{name: "upsert of new rows", do: upsertAccounts(1), plain: same(1), audited: costs(4, 3, 4), inTx: costs(6, 5, 6)},
		{
			name: "upsert of rows", seed: upsertAccounts(1), do: upsertAccounts(2),
			plain: same(1), audited: costs(4, 3, 5), inTx: costs(6, 5, 7),
		},
	}
}
