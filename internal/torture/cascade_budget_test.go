package torture_test

import (
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/folder"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// cascadeBudget is a delete of n rows that takes others along.
type cascadeBudget struct {
	name    string
	seed    func(t *testing.T, c *ent.Client, n int)
	do      func(t *testing.T, c *ent.Client)
	entries int // for each of the n
	reads   int // of rows that refer to others, and of what describes rows
}

// TestBudgetCascade has a delete cost one query for its rows, one for each table that
// refers to the rows of a level, ent's own statement and the entries, however many rows
// there are. SQLite locks first.
func TestBudgetCascade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, q := range cascadeBudgets() {
			t.Run(q.name, func(t *testing.T) {
				for i, n := range []int{1, 1, 10, 100} {
					b.clear(t)
					q.seed(t, b.plain, n)
					b.oracle.forget(t)
					got := b.drv.count(func() { q.do(t, b.client) })
					k := len(b.entries(t))
					require.Equal(t, n*q.entries, k)
					b.oracle.compare(t)
					if i == 0 {
						continue // foreign keys are seen at work for the first time
					}
					want := 1 + q.reads + 1 + 1
					if b.dialect == dialect.SQLite {
						want = 1 + 1 + q.reads + 1 + (k+99)/100 // it takes fewer entries at once
					}
					require.Len(t, got, want, "%d rows:\n%s", n, shorten(got))
				}
			})
		}
	})
}

func cascadeBudgets() []cascadeBudget {
	return []cascadeBudget{
		{
			name: "invoices with lines", entries: 1 + 3, reads: 2, // blobs, lines
			seed: func(t *testing.T, c *ent.Client, n int) {
				for i := range n {
					v := c.Invoice.Create().SetNumber(fmt.Sprint(i)).SaveX(t.Context())
					c.Line.MapCreateBulk(make([]int, 3), func(l *ent.LineCreate, _ int) { l.SetInvoice(v).SetAmount(gotype.Amount{Text: "1.5"}) }).ExecX(t.Context())
				}
			},
			do: func(t *testing.T, c *ent.Client) { c.Invoice.Delete().ExecX(t.Context()) },
		},
		{
			name: "users without anything", entries: 1, reads: 8,
			seed: createUsers,
			do:   func(t *testing.T, c *ent.Client) { c.User.Delete().ExecX(t.Context()) },
		},
		{
			// First level: files, folders, viewers. Second: files and so on of the inner
			// folder, chunks and scans of the outer file. Third: those of the inner file,
			// marks of the outer chunk. Fourth: marks of the inner one. And the labels and
			// tenants of the viewers.
			name: "folders in folders", entries: 2 + 2 + 2 + 2 + 1, reads: 3 + 5 + 3 + 1 + 1,
			seed: seedTrees,
			do: func(t *testing.T, c *ent.Client) {
				c.Folder.Delete().Where(folder.ParentIDIsNil()).ExecX(t.Context())
			},
		},
	}
}

func seedTrees(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	for i := range n {
		u := oldUser(c, fmt.Sprint(i)).SaveX(t.Context())
		f := c.Folder.Create().SetName("outer").AddViewers(u).SaveX(t.Context())
		f2 := c.Folder.Create().SetName("inner").SetParent(f).SaveX(t.Context())
		for j, f := range []*ent.Folder{f, f2} {
			id := fmt.Sprint(i, j)
			c.File.Create().SetID(id).SetFolder(f).ExecX(t.Context())
			c.Scan.Create().SetFileID(id).ExecX(t.Context())
			k := c.Chunk.Create().SetFileID(id).SaveX(t.Context())
			c.Mark.Create().SetText("m").SetChunk(k).ExecX(t.Context())
		}
	}
}

// TestBudgetFirstCascade looks once whether the database does what the graph says.
func TestBudgetFirstCascade(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{}, func(t *testing.T, b *bundle) {
		for i, want := range []cost{costs(7, 6, 6), costs(6, 5, 5), costs(6, 5, 5)} {
			v := b.plain.Invoice.Create().SetNumber("1").SaveX(t.Context())
			b.plain.Line.Create().SetInvoice(v).SetAmount(gotype.Amount{Text: "1.5"}).ExecX(t.Context())
			got := b.drv.count(func() { b.client.Invoice.DeleteOne(v).ExecX(t.Context()) })
			require.Len(t, got, want[b.dialect], "delete %d:\n%s", i, shorten(got))
		}
	})
}
