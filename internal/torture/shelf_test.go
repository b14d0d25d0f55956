package torture_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/book"
	"github.com/entaudit/audit/internal/torture/ent/crate"
	"github.com/entaudit/audit/internal/torture/ent/shelf"
)

// library is shelves and crates, which are not audited, and what they hold, which is.
// Shelf a holds book x, has y in front and a crate with z; b is empty. w lies nowhere.
type library struct {
	a, b       *ent.Shelf
	crate      *ent.Crate
	w, x, y, z *ent.Book
}

func seedLibrary(t *testing.T, b *bundle) library {
	t.Helper()
	c := b.plain
	books := c.Book.MapCreateBulk([]string{"w", "x", "y", "z"}, func(k *ent.BookCreate, i int) { k.SetTitle("wxyz"[i : i+1]) }).SaveX(t.Context())
	l := library{w: books[0], x: books[1], y: books[2], z: books[3]}
	c.Topic.CreateBulk(c.Topic.Create().SetID("p"), c.Topic.Create().SetID("q")).ExecX(t.Context())
	l.a = c.Shelf.Create().SetCode("a").AddBooks(l.x).SetFront(l.y).AddTopicIDs("p").AddReaderIDs("p").
		AddHomed(l.x, l.y).AddStocked(l.x).SaveX(t.Context())
	l.b = c.Shelf.Create().SetCode("b").AddNext(l.a).AddHomed(l.y).SaveX(t.Context())
	l.crate = c.Crate.Create().SetShelf(l.a).AddBooks(l.z).SaveX(t.Context())
	return l
}

// inLibrary returns a story in a library that leaves the given entries.
func inLibrary(do func(*testing.T, *ent.Client, library), want func(l library) []string) player {
	return edgeStory(seedLibrary, do, want)
}

// TestCase79Keys writes keys of audited rows through edges of types that are not.
func TestCase79Keys(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Add", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.b).AddBooks(l.w, l.z).SetHeight(3).ExecX(t.Context())
			c.Shelf.Update().Where(shelf.ID(l.a.ID)).AddReaderIDs("q").ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("book.update %d: shelf null → %d", l.w.ID, l.b.ID), line("book.update %d: shelf null → %d", l.z.ID, l.b.ID),
				line("topic.update q: shelf_readers null → %d", l.a.ID),
			}
		})},
		{"Remove", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOneID(l.a.ID).RemoveBooks(l.x, l.w).ExecX(t.Context())
			c.Crate.UpdateOne(l.crate).RemoveBooks(l.z).SetColour("red").ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("book.update %d: shelf %d → null", l.x.ID, l.a.ID), line("book.update %d: crate_id %d → null", l.z.ID, l.crate.ID),
			}
		})},
		{"Clear", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.a).ClearReaders().ExecX(t.Context())
			c.Shelf.Update().ClearBooks().ClearFront().SetHeight(1).ExecX(t.Context())
			c.Crate.Update().Where(crate.Colour("")).ClearBooks().ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("topic.update p: shelf_readers %d → null", l.a.ID),
				line("book.update %d: shelf %d → null", l.x.ID, l.a.ID), line("book.update %d: front_of %d → null", l.y.ID, l.a.ID),
				line("book.update %d: crate_id %d → null", l.z.ID, l.crate.ID),
			}
		})},
		{"Replace", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.a).ClearFront().SetFront(l.w).ExecX(t.Context())
			c.Shelf.UpdateOne(l.a).ClearBooks().AddBooks(l.x, l.y).ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("book.update %d: front_of %d → null", l.y.ID, l.a.ID), line("book.update %d: front_of null → %d", l.w.ID, l.a.ID),
				line("book.update %d: shelf null → %d", l.y.ID, l.a.ID),
			}
		})},
		{"NothingOfThat", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.a).ClearNext().AddCrates(c.Crate.Create().SaveX(t.Context())).RemoveBooks(l.w).ExecX(t.Context())
			c.Crate.UpdateOne(l.crate).SetShelf(l.b).ExecX(t.Context())
			c.Shelf.Update().Where(shelf.Code("none")).ClearBooks().ClearTopics().ExecX(t.Context())
		}, func(library) []string { return []string{} })},
	})
}

// TestCase79Links writes links of audited rows from the side that is not audited.
func TestCase79Links(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Add", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.b).AddTopicIDs("p", "q").AddHomed(l.w).AddNext(l.a).ExecX(t.Context())
			c.Shelf.Update().AddHomed(l.z).ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("topic.update p: shelves +%d", l.b.ID), line("topic.update q: shelves +%d", l.b.ID),
				line("book.update %d: homes +%d", l.w.ID, l.b.ID), line("book.update %d: homes +%d +%d", l.z.ID, l.a.ID, l.b.ID),
			}
		})},
		{"Remove", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.a).RemoveTopicIDs("p", "q").RemoveHomed(l.x, l.w).ExecX(t.Context())
		}, func(l library) []string {
			return []string{line("topic.update p: shelves -%d", l.a.ID), line("book.update %d: homes -%d", l.x.ID, l.a.ID)}
		})},
		{"Clear", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.Update().ClearHomed().ClearTopics().ClearNext().SetHeight(2).ExecX(t.Context())
		}, func(l library) []string {
			return []string{
				line("topic.update p: shelves -%d", l.a.ID),
				line("book.update %d: homes -%d", l.x.ID, l.a.ID), line("book.update %d: homes -%d -%d", l.y.ID, l.a.ID, l.b.ID),
			}
		})},
		{"ThatAreAType", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.UpdateOne(l.b).AddStocked(l.w).ExecX(t.Context())
			c.Shelf.UpdateOne(l.a).ClearStocked().ExecX(t.Context())
			c.Shelf.Update().Where(shelf.Code("a")).AddStocked(l.z).ExecX(t.Context())
			require.Equal(t, 2, c.Stock.Query().CountX(t.Context()))
		}, nil)},
	})
}

// TestCase79Creates makes rows that are not audited, with edges to some that are.
func TestCase79Creates(t *testing.T) {
	t.Parallel()
	var made int
	perform(t, entaudit.Config{}, []scene{
		{"One", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			s := c.Shelf.Create().SetCode("c").AddBooks(l.w, l.y).SetFront(l.x).AddTopicIDs("q").AddHomed(l.z).AddStocked(l.w).SaveX(t.Context())
			require.Equal(t, 2, s.QueryBooks().CountX(t.Context()))
			c.Crate.Create().SetShelf(s).ExecX(t.Context())
		}, nil)},
		{"Bulk", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			made = c.Shelf.CreateBulk(
				c.Shelf.Create().SetCode("c").AddBooks(l.w).AddTopicIDs("p"), c.Shelf.Create().SetCode("d"),
				c.Shelf.Create().SetCode("e").AddBooks(l.y).AddTopicIDs("p", "q").AddHomed(l.w),
			).SaveX(t.Context())[0].ID
		}, func(l library) []string {
			return []string{
				line("book.update %d: shelf null → %d; homes +%d", l.w.ID, made, made+2), line("book.update %d: shelf null → %d", l.y.ID, made+2),
				line("topic.update p: shelves +%d +%d", made, made+2), line("topic.update q: shelves +%d", made+2),
			}
		})},
		{"Upsert", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.Create().SetCode("b").SetHeight(9).AddBooks(l.w).AddTopicIDs("p").
				OnConflictColumns(shelf.FieldCode).UpdateNewValues().ExecX(t.Context())
			c.Shelf.Create().SetCode("c").AddBooks(l.y).OnConflictColumns(shelf.FieldCode).UpdateNewValues().ExecX(t.Context())
		}, nil)},
		{"UpsertBulk", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Shelf.CreateBulk(
				c.Shelf.Create().SetCode("c").AddBooks(l.w), c.Shelf.Create().SetCode("d").AddHomed(l.x).AddTopicIDs("q"),
			).OnConflictColumns(shelf.FieldCode).UpdateNewValues().ExecX(t.Context())
		}, nil)},
	})
}

// TestCase79Deletes deletes rows that are not audited, which take along some that are.
func TestCase79Deletes(t *testing.T) {
	t.Parallel()
	everything := func(l library) []string {
		return []string{
			line("book.update %d: shelf %d → null; homes -%d", l.x.ID, l.a.ID, l.a.ID),
			line("book.update %d: front_of %d → null; homes -%d", l.y.ID, l.a.ID, l.a.ID),
			line("book.delete %d: title \"z\" → -; tenant \"acme\" → -; crate_id %d → -", l.z.ID, l.crate.ID),
			line("topic.update p: shelf_readers %d → null; shelves -%d", l.a.ID, l.a.ID),
		}
	}
	gone := func(t *testing.T, b *bundle, e []entaudit.Entry, l library) {
		t.Helper()
		link := slices.IndexFunc(e, func(e entaudit.Entry) bool { return e.Action == "stock.delete" })
		require.NotEqual(t, -1, link)
		require.ElementsMatch(t, everything(l), summary(slices.Delete(slices.Clone(e), link, link+1)))
		require.False(t, b.plain.Book.Query().Where(book.ID(l.z.ID)).ExistX(t.Context()))
		for _, e := range e {
			require.Equal(t, e.Resource.Type == "book", e.Tenant.ID == "acme")
			require.Zero(t, e.CauseID, "what has caused it has no entry")
		}
	}
	perform(t, entaudit.Config{}, []scene{
		{"One", story[library]{
			seed:  seedLibrary,
			do:    func(t *testing.T, _ *bundle, c *ent.Client, l library) { c.Shelf.DeleteOne(l.a).ExecX(t.Context()) },
			check: gone,
		}},
		{"Many", story[library]{
			seed: seedLibrary,
			do: func(t *testing.T, _ *bundle, c *ent.Client, _ library) {
				require.Equal(t, 1, c.Shelf.Delete().Where(shelf.CodeIn("a", "none")).ExecX(t.Context()))
			},
			check: gone,
		}},
		{"All", inLibrary(func(t *testing.T, c *ent.Client, _ library) { c.Shelf.Delete().ExecX(t.Context()) }, nil)},
		{"Crate", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			c.Crate.Create().ExecX(t.Context())
			require.Equal(t, 2, c.Crate.Delete().ExecX(t.Context()))
		}, func(l library) []string { return everything(l)[2:3] })},
		{"Nobody", inLibrary(func(t *testing.T, c *ent.Client, l library) {
			require.Zero(t, c.Shelf.Delete().Where(shelf.Code("none")).ExecX(t.Context()))
			c.Shelf.DeleteOneID(c.Shelf.Create().SetCode("new").AddNext(l.a).SaveX(t.Context()).ID).ExecX(t.Context())
		}, func(library) []string { return []string{} })},
	})
}
