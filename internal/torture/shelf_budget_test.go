package torture_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/shelf"
)

// TestBudgetUntouched has mutations of types that are not audited cost nothing where they
// touch nothing that is, though they could.
func TestBudgetUntouched(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		bare := ent.NewClient(ent.Driver(b.drv))
		for name, do := range map[string]func(c *ent.Client, s *ent.Shelf, k *ent.Crate){
			"create": func(c *ent.Client, s *ent.Shelf, k *ent.Crate) {
				c.Shelf.Create().SetCode("new").AddNext(s).AddCrates(k).ExecX(t.Context())
			},
			"bulk": func(c *ent.Client, s *ent.Shelf, _ *ent.Crate) {
				c.Shelf.CreateBulk(c.Shelf.Create().SetCode("1").AddNext(s), c.Shelf.Create().SetCode("2")).ExecX(t.Context())
			},
			"upsert": func(c *ent.Client, _ *ent.Shelf, _ *ent.Crate) {
				c.Shelf.Create().SetCode("s").SetHeight(3).OnConflictColumns(shelf.FieldCode).UpdateNewValues().ExecX(t.Context())
			},
			"update one": func(c *ent.Client, s *ent.Shelf, k *ent.Crate) {
				c.Shelf.UpdateOne(s).SetHeight(3).ClearNext().AddCrates(k).ExecX(t.Context())
			},
			"update": func(c *ent.Client, s *ent.Shelf, _ *ent.Crate) {
				c.Shelf.Update().AddHeight(3).AddNext(s).ClearCrates().ExecX(t.Context())
			},
			"key of its own": func(c *ent.Client, s *ent.Shelf, k *ent.Crate) {
				c.Crate.UpdateOne(k).SetShelf(s).ExecX(t.Context())
				c.Chunk.Create().SetData([]byte("x")).ExecX(t.Context())
			},
		} {
			var costs [4]int
			for i, c := range []*ent.Client{bare, b.client, bare, b.client} {
				b.clear(t)
				s, k := b.plain.Shelf.Create().SetCode("s").SaveX(t.Context()), b.plain.Crate.Create().SaveX(t.Context())
				costs[i] = len(b.drv.count(func() {
					if i < 2 {
						do(c, s, k)
						return
					}
					tx, err := c.Tx(t.Context())
					require.NoError(t, err)
					do(tx.Client(), s, k)
					require.NoError(t, tx.Commit())
				}))
			}
			require.Equal(t, costs[0], costs[1], name)
			require.Equal(t, costs[2], costs[3], "%s in a transaction", name)
			require.Empty(t, b.entries(t))
		}
	})
}

// TestBudgetShelf has mutations of types that are not audited cost what those of audited
// ones cost beyond their own rows.
func TestBudgetShelf(t *testing.T) {
	t.Parallel()
	seed := func(t *testing.T, c *ent.Client, n int) {
		t.Helper()
		s := c.Shelf.Create().SetCode("s").SaveX(t.Context())
		c.Book.MapCreateBulk(make([]int, n), func(k *ent.BookCreate, _ int) { k.SetTitle("b") }).ExecX(t.Context())
		c.Topic.MapCreateBulk(make([]int, n), func(k *ent.TopicCreate, i int) { k.SetID(fmt.Sprint(i)).AddShelves(s) }).ExecX(t.Context())
	}
	all := []budget{
		{
			name: "create with books", // the query for their ids is the test's own
			do: func(t *testing.T, c *ent.Client, _ int) {
				c.Shelf.Create().SetCode("new").AddBookIDs(c.Book.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(3), audited: costs(4, 4, 5), inTx: costs(4, 4, 5),
		},
		{
			name: "AddBooks",
			do: func(t *testing.T, c *ent.Client, _ int) {
				c.Shelf.Update().AddBookIDs(c.Book.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(3), audited: costs(5, 4, 5), inTx: costs(5, 4, 5),
		},
		{
			name:  "ClearTopics",
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Shelf.Update().ClearTopics().ExecX(t.Context()) },
			plain: same(2), audited: costs(4, 3, 4), inTx: costs(4, 3, 4),
		},
		{
			// Its rows, what refers to them in six tables, the entries.
			name:  "delete",
			do:    func(t *testing.T, c *ent.Client, _ int) { c.Shelf.Delete().ExecX(t.Context()) },
			plain: same(1), audited: costs(10, 9, 9), inTx: costs(10, 9, 9),
		},
	}
	each(t, func(t *testing.T, b *bundle) {
		seed(t, b.plain, 1)
		b.client.Shelf.Delete().ExecX(t.Context()) // looks once whether the database does what the graph says
		for _, n := range []int{1, 10, 90} {
			for _, q := range all {
				q.one, q.seed = true, func(t *testing.T, c *ent.Client, _ int) { seed(t, c, n) }
				t.Run(fmt.Sprint(q.name, " of ", n), func(t *testing.T) { q.check(t, b) })
			}
		}
	})
}
