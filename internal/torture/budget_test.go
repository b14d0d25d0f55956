package torture_test

import (
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/card"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// cost is a number of statements by dialect, BEGIN and COMMIT not counted.
type cost map[string]int

func same(n int) cost { return costs(n, n, n) }

func costs(sqlite, postgres, mysql int) cost {
	return cost{dialect.SQLite: sqlite, dialect.Postgres: postgres, dialect.MySQL: mysql}
}

// budget is an operation on n rows and what it may cost.
type budget struct {
	name    string
	seed    func(t *testing.T, c *ent.Client, n int)
	do      func(t *testing.T, c *ent.Client, n int)
	plain   cost // without auditing
	audited cost // outside of a transaction
	inTx    cost // in one that it has to itself, with its commit
	one     bool // it does not depend on n
}

// sizes are numbers of rows that one INSERT of entries has place for.
func (q budget) sizes() []int {
	if q.one {
		return []int{1}
	}
	return []int{1, 10, 100}
}

func (q budget) check(t *testing.T, b *bundle) {
	t.Helper()
	for _, n := range q.sizes() {
		run := func(how string, want cost, f func()) {
			b.clear(t)
			if q.seed != nil {
				q.seed(t, b.plain, n)
			}
			got := b.drv.count(f)
			require.Len(t, got, want[b.dialect], "%s of %d rows, %s:\n%s", q.name, n, how, shorten(got))
		}
		run("not audited", q.plain, func() { q.do(t, b.plain, n) })
		run("audited", q.audited, func() { q.do(t, b.client, n) })
		run("in a transaction", q.inTx, func() {
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			q.do(t, tx.Client(), n)
			require.NoError(t, tx.Commit())
		})
	}
}

// shorten returns the beginnings of statements, one per line.
func shorten(statements []string) string {
	short := make([]string, len(statements))
	for i, s := range statements {
		short[i] = s[:min(len(s), 150)]
	}
	return strings.Join(short, "\n")
}

func TestBudget(t *testing.T) {
	t.Parallel()
	all := append(append(createBudgets(), updateBudgets()...), deleteBudgets()...)
	each(t, func(t *testing.T, b *bundle) {
		for _, q := range all {
			t.Run(q.name, func(t *testing.T) { q.check(t, b) })
		}
	})
}

func seedCards(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	createCards(t, c, n)
}

func createCards(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	c.Card.MapCreateBulk(make([]int, n), func(k *ent.CardCreate, i int) { k.SetID(fmt.Sprint(i)).SetNumber("1") }).ExecX(t.Context())
}

func createUsers(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	c.User.MapCreateBulk(make([]int, n), func(u *ent.UserCreate, i int) {
		u.SetName(fmt.Sprint(i)).SetUpdatedAt(longAgo())
	}).ExecX(t.Context())
}

func createBudgets() []budget {
	return []budget{
		{
			name: "create of a card", one: true,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Card.Create().SetID("k").SetNumber("1").ExecX(t.Context()) },
			plain: same(1), audited: same(2), inTx: same(2),
		},
		{
			name: "create of a user", one: true,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.User.Create().SetName("ann").ExecX(t.Context()) },
			plain: same(1), audited: costs(2, 2, 3), inTx: costs(2, 2, 3),
		},
		{
			name: "create of a group", one: true,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Group.Create().SetName("g").ExecX(t.Context()) },
			plain: same(1), audited: same(2), inTx: same(2),
		},
		{
			name: "create of a ticket", one: true, // database defaults
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Ticket.Create().SetTitle("a").ExecX(t.Context()) },
			plain: same(1), audited: costs(2, 2, 3), inTx: costs(2, 2, 3),
		},
		{name: "bulk of cards", do: createCards, plain: same(1), audited: same(2), inTx: same(2)},
		{name: "bulk of users", do: createUsers, plain: same(1), audited: costs(2, 2, 3), inTx: costs(2, 2, 3)},
	}
}

func updateBudgets() []budget {
	first := func(t *testing.T, c *ent.Client) *ent.UserUpdateOne {
		t.Helper()
		return c.User.UpdateOneID(c.User.Query().Order(user.ByID()).FirstIDX(t.Context()))
	}
	return []budget{
		{
			// ent updates and reads; we read and write the entry. SQLite locks first. The
			// query for the id is the test's own.
			name: "update of one", one: true, seed: createUsers,
			do:    func(t *testing.T, c *ent.Client, _ int) { first(t, c).SetName("x").ExecX(t.Context()) },
			plain: same(3), audited: costs(6, 5, 5), inTx: costs(6, 5, 5),
		},
		{
			// What ent reads for itself lacks the new values.
			name: "update of one with Select", one: true, seed: createUsers,
			do: func(t *testing.T, c *ent.Client, _ int) {
				first(t, c).SetName("x").Select(user.FieldStatus).ExecX(t.Context())
			},
			plain: same(3), audited: costs(6, 5, 6), inTx: costs(6, 5, 6),
		},
		{
			name: "update of many", seed: createUsers,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.User.Update().SetAge(7).ExecX(t.Context()) },
			plain: same(1), audited: costs(4, 3, 4), inTx: costs(4, 3, 4),
		},
		{
			name: "update of many to what they are", seed: seedCards,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Card.Update().SetNumber("1").ExecX(t.Context()) },
			plain: same(1), audited: costs(3, 2, 3), inTx: costs(3, 2, 3),
		},
		{
			name: "update of none", seed: seedCards,
			do: func(t *testing.T, c *ent.Client, _ int) {
				c.Card.Update().Where(card.Number("no")).SetNumber("x").ExecX(t.Context())
			},
			plain: same(1), audited: costs(3, 2, 2), inTx: costs(3, 2, 2),
		},
		{
			name: "update that sets nothing", seed: seedCards,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Card.Update().ExecX(t.Context()) },
			plain: same(0), audited: same(0), inTx: same(0),
		},
		{
			name: "update of one that sets nothing", one: true, seed: seedCards,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Card.UpdateOneID("0").ExecX(t.Context()) },
			plain: same(1), audited: same(1), inTx: same(1),
		},
	}
}

func deleteBudgets() []budget {
	return []budget{
		{
			name: "delete of one", one: true, seed: seedCards,
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Card.DeleteOneID("0").ExecX(t.Context()) },
			plain: same(1), audited: costs(2, 2, 3), inTx: costs(2, 2, 3),
		},
		{
			name: "delete of many", seed: seedCards,
			do:    func(t *testing.T, c *ent.Client, n int) { require.Equal(t, n, c.Card.Delete().ExecX(t.Context())) },
			plain: same(1), audited: costs(2, 2, 3), inTx: costs(2, 2, 3),
		},
		{
			name: "delete of none", one: true, seed: seedCards,
			do: func(t *testing.T, c *ent.Client, _ int) {
				require.Zero(t, c.Card.Delete().Where(card.Number("no")).ExecX(t.Context()))
			},
			plain: same(1), audited: costs(1, 1, 2), inTx: costs(1, 1, 2),
		},
	}
}

// TestBudgetTransaction has many mutations share one INSERT of entries, and one lock on
// SQLite.
func TestBudgetTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, k := range []int{1, 10, 90} {
			b.clear(t)
			createCards(t, b.plain, k)
			got := b.drv.count(func() {
				tx, err := b.client.Tx(t.Context())
				require.NoError(t, err)
				for i := range k {
					tx.Card.Update().Where(card.ID(fmt.Sprint(i))).SetNumber("2").ExecX(t.Context())
				}
				require.NoError(t, tx.Commit())
			})
			want := costs(2*k+2, 2*k+1, 3*k+1)
			require.Len(t, got, want[b.dialect], shorten(got))
			require.Equal(t, 1, auditInserts(got), shorten(got))
			require.Len(t, b.entries(t), k)
		}
	})
}

// auditInserts returns how many of the statements store entries.
func auditInserts(statements []string) (n int) {
	for _, s := range statements {
		if strings.HasPrefix(s, "INSERT") && strings.Contains(s[:40], "audit_logs") {
			n++
		}
	}
	return n
}

// TestBudgetChunks stores many entries with few statements.
func TestBudgetChunks(t *testing.T) {
	t.Parallel()
	const n = 2500
	each(t, func(t *testing.T, b *bundle) {
		for i := range 5 {
			b.plain.Group.MapCreateBulk(make([]int, n/5), func(g *ent.GroupCreate, j int) { g.SetName(fmt.Sprint(i, j)) }).ExecX(t.Context())
		}
		b.oracle.forget(t)
		want := costs(25, 3, 3)[b.dialect]
		updates := b.drv.count(func() { b.client.Group.Update().SetName("x").ExecX(t.Context()) })
		require.Equal(t, want, auditInserts(updates))
		require.Len(t, b.entries(t), n)
		deletes := b.drv.count(func() { b.client.Group.Delete().ExecX(t.Context()) })
		require.Equal(t, want, auditInserts(deletes))
		b.oracle.compare(t)
	})
}

// TestBudgetOff has a recorder that is switched off cost nothing.
func TestBudgetOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		bare := ent.NewClient(ent.Driver(b.drv))
		do := func(c *ent.Client) func() {
			return func() {
				p := c.Plain.Create().SetTitle("a").SaveX(t.Context())
				c.Plain.UpdateOne(p).SetTitle("b").ExecX(t.Context())
				c.Plain.Delete().ExecX(t.Context())
			}
		}
		require.Len(t, b.drv.count(do(bare)), 4)
		require.Len(t, b.drv.count(do(b.client)), 4)
		got := b.drv.count(func() {
			g := b.plain.Group.Create().SetName("a").SaveX(t.Context())
			b.plain.Group.UpdateOne(g).SetName("b").ExecX(t.Context())
			b.plain.Group.Delete().ExecX(t.Context())
		})
		require.Len(t, got, 4, shorten(got))
		require.Empty(t, b.entries(t))
	})
}

// TestBudgetNoChanges has a recorder of everything but changes cost mutations nothing,
// and keep what the program records with its transaction.
func TestBudgetNoChanges(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{NoChanges: true}, func(t *testing.T, b *bundle) {
		got := b.drv.count(func() {
			g := b.client.Group.Create().SetName("a").SaveX(t.Context())
			b.client.Group.UpdateOne(g).SetName("b").ExecX(t.Context())
			b.client.Group.Delete().ExecX(t.Context())
		})
		require.Len(t, got, 4, shorten(got))
		b.oracle.forget(t)
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.Group.Create().SetName("c").ExecX(t.Context())
		require.NoError(t, tx.Record(t.Context(), entaudit.Entry{Action: "group.approve"}))
		require.NoError(t, tx.Commit())
		b.oracle.forget(t)
		e := b.entries(t)
		require.Len(t, e, 1)
		require.Equal(t, "group.approve", e[0].Action)
	})
}

// TestBudgetSkip has a skipped mutation cost the one entry that says so.
func TestBudgetSkip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := entaudit.Skip(t.Context(), "import")
		for name, tt := range map[string]struct {
			want int
			do   func()
		}{
			"create": {2, func() { b.client.Card.Create().SetID("a").SetNumber("1").ExecX(ctx) }},
			"bulk": {2, func() {
				b.client.Card.MapCreateBulk([]int{1, 2}, func(k *ent.CardCreate, i int) { k.SetID(fmt.Sprint(i)).SetNumber("1") }).ExecX(ctx)
			}},
			"update": {2, func() { b.client.Card.Update().SetNumber("2").ExecX(ctx) }},
			"delete": {2, func() { b.client.Card.Delete().Where(card.Number("x")).ExecX(ctx) }},
		} {
			got := b.drv.count(tt.do)
			require.Len(t, got, tt.want, "%s:\n%s", name, shorten(got))
		}
		e := b.entries(t)
		require.Len(t, e, 4)
		for _, e := range e {
			require.Equal(t, entaudit.KindSystem, e.Kind)
			require.Equal(t, "import", e.Reason)
		}
	})
}
