package torture_test

import (
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/folder"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestCascade(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case19Tree", case19Tree()},
		{"Case19Cycle", case19Cycle()},
		{"Case19RowsThatAreNamedAsWell", case19RowsThatAreNamedAsWell()},
		{"Case19NoChildren", case19NoChildren()},
		{"Case19TwoKeysToOneRow", case19TwoKeysToOneRow()},
		{"Case20SetNull", case20SetNull()},
		{"Case20SetNullAndCascade", case20SetNullAndCascade()},
		{"Case20RefusedDelete", case20RefusedDelete()},
		{"Case79UnauditedInBetween", case79UnauditedInBetween()},
		{"Case19LinksOfADeletedRow", case19LinksOfADeletedRow()},
		{"Case19FriendsOfADeletedRow", case19FriendsOfADeletedRow()},
		{"Case19LinksThatAreATypeGoAlong", case19LinksThatAreATypeGoAlong()},
		{"Case29DeleteOfLinks", case29DeleteOfLinks()},
	})
}

// chain returns what entries say in one line each, with the line of their cause's row
// behind: "user.delete 1 < folder.delete 7".
func chain(entries []entaudit.Entry) []string {
	name := make(map[string]string)
	line := func(e entaudit.Entry) string { return e.Action + " " + e.Resource.ID }
	for _, e := range entries {
		name[e.ID.String()] = line(e)
	}
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = line(e)
		if by, ok := name[e.CauseID.String()]; ok {
			all[i] += " < " + by
		}
	}
	return all
}

// tree is a folder in a folder in a folder, a file in each, and a folder beside them.
type tree struct {
	root, mid, leaf, beside *ent.Folder
	viewer                  *ent.User
}

func seedTree(t *testing.T, b *bundle) (s tree) {
	t.Helper()
	c, ctx := b.plain, t.Context()
	s.viewer = seedUser(t, b)
	s.root = c.Folder.Create().SetName("root").AddViewers(s.viewer).SaveX(ctx)
	s.mid = c.Folder.Create().SetName("mid").SetParent(s.root).SaveX(ctx)
	s.leaf = c.Folder.Create().SetName("leaf").SetParent(s.mid).SaveX(ctx)
	s.beside = c.Folder.Create().SetName("beside").SaveX(ctx)
	for _, f := range []*ent.Folder{s.root, s.mid, s.leaf, s.beside} {
		c.File.Create().SetID("in " + f.Name).SetName("n").SetFolder(f).ExecX(ctx)
	}
	return s
}

func case19Tree() player {
	return story[tree]{
		seed: seedTree,
		do: func(t *testing.T, _ *bundle, c *ent.Client, s tree) {
			c.Folder.DeleteOne(s.root).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, s tree) {
			require.ElementsMatch(t, []string{
				fmt.Sprintf("folder.delete %d", s.root.ID),
				fmt.Sprintf("folder.delete %d < folder.delete %d", s.mid.ID, s.root.ID),
				fmt.Sprintf("folder.delete %d < folder.delete %d", s.leaf.ID, s.mid.ID),
				fmt.Sprintf("file.delete in root < folder.delete %d", s.root.ID),
				fmt.Sprintf("file.delete in mid < folder.delete %d", s.mid.ID),
				fmt.Sprintf("file.delete in leaf < folder.delete %d", s.leaf.ID),
				fmt.Sprintf("user.update %d < folder.delete %d", s.viewer.ID, s.root.ID),
			}, chain(e))
			require.Equal(t, fmt.Sprintf("folder.delete %d", s.root.ID), chain(e)[0], "the cause comes first")
			require.Equal(t, []entaudit.EdgeChange{{Edge: "viewers", Removed: []string{fmt.Sprint(s.viewer.ID)}}}, e[0].Edges)
			requireChanges(t, map[string]string{"name": `"n" → -`, "folder": fmt.Sprintf("%d → -", s.leaf.ID)}, byID(e)["in leaf"])
			require.Equal(t, "n", byID(e)["in leaf"].Resource.Label)
			for _, e := range e {
				require.Empty(t, e.Marks)
			}
		},
	}
}

func case19Cycle() player {
	return story[[]*ent.Folder]{
		seed: func(t *testing.T, b *bundle) []*ent.Folder {
			one := b.plain.Folder.Create().SetName("1").SaveX(t.Context())
			two := b.plain.Folder.Create().SetName("2").SetParent(one).SaveX(t.Context())
			self := b.plain.Folder.Create().SetName("3").SaveX(t.Context())
			b.plain.Folder.UpdateOne(one).SetParent(two).ExecX(t.Context())
			b.plain.Folder.UpdateOne(self).SetParent(self).ExecX(t.Context())
			return []*ent.Folder{one, two, self}
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, f []*ent.Folder) {
			c.Folder.DeleteOne(f[0]).ExecX(t.Context())
			c.Folder.DeleteOne(f[2]).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, f []*ent.Folder) {
			require.Equal(t, []string{
				fmt.Sprintf("folder.delete %d", f[0].ID),
				fmt.Sprintf("folder.delete %d < folder.delete %d", f[1].ID, f[0].ID),
				fmt.Sprintf("folder.delete %d", f[2].ID),
			}, chain(e))
		},
	}
}

func case19RowsThatAreNamedAsWell() player {
	return story[tree]{
		seed: seedTree,
		do: func(t *testing.T, _ *bundle, c *ent.Client, s tree) {
			c.Folder.Delete().Where(folder.NameNEQ("mid")).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tree) {
			require.Len(t, e, 4+4+1)
			causes := map[string]int{}
			for _, e := range e {
				if e.CauseID != [16]byte{} {
					causes[e.Action]++
				}
			}
			require.Equal(t, map[string]int{"folder.delete": 1, "file.delete": 4, "user.update": 1}, causes, "rows that the delete names have no cause")
			require.Zero(t, b.plain.Folder.Query().CountX(t.Context()))
		},
	}
}

func case19NoChildren() player {
	return story[tree]{
		seed: seedTree,
		do: func(t *testing.T, _ *bundle, c *ent.Client, s tree) {
			c.File.Delete().ExecX(t.Context())
			c.Folder.DeleteOne(s.beside).ExecX(t.Context())
			require.Zero(t, c.Folder.Delete().Where(folder.Name("none")).ExecX(t.Context()))
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, s tree) {
			require.Len(t, e, 5)
			requireChanges(t, map[string]string{"name": `"beside" → -`}, e[4])
		},
	}
}

func case19TwoKeysToOneRow() player {
	return story[[]*ent.User]{
		seed: func(t *testing.T, b *bundle) []*ent.User {
			a, z := seedUser(t, b), oldUser(b.plain, "zoe").SaveX(t.Context())
			for i, u := range []*ent.User{a, z} {
				w := b.plain.Tweet.Create().SetID(int64(i + 1)).SetText("t").SetAuthor(z).SaveX(t.Context())
				b.plain.Like.Create().SetUser(u).SetTweet(w).ExecX(t.Context())
			}
			return []*ent.User{a, z}
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, u []*ent.User) {
			c.Tweet.Delete().ExecX(t.Context())
			c.User.Delete().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, u []*ent.User) {
			require.Len(t, e, 2+2+2)
		},
	}
}

// household is ann with all that refers to her.
type household struct {
	ann, bob, kid *ent.User
	pet           *ent.Pet
}

func seedHousehold(t *testing.T, b *bundle) (h household) {
	t.Helper()
	h.ann = seedUser(t, b)
	h.bob = oldUser(b.plain, "bob").SetSpouse(h.ann).SaveX(t.Context())
	h.kid = oldUser(b.plain, "kid").SetParent(h.ann).SaveX(t.Context())
	h.pet = b.plain.Pet.Create().SetName("rex").SetOwner(h.ann).SaveX(t.Context())
	b.plain.Pet.Create().SetName("stray").ExecX(t.Context())
	b.plain.Card.Create().SetID("k").SetNumber("1").SetOwner(h.ann).ExecX(t.Context())
	return h
}

func case20SetNull() player {
	return story[household]{
		seed: seedHousehold,
		do: func(t *testing.T, _ *bundle, c *ent.Client, h household) {
			c.User.DeleteOne(h.ann).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, h household) {
			because := fmt.Sprintf(" < user.delete %d", h.ann.ID)
			require.ElementsMatch(t, []string{
				fmt.Sprintf("user.delete %d", h.ann.ID), "payment_card.update k" + because,
				fmt.Sprintf("pet.delete %s", h.pet.ID) + because,
				fmt.Sprintf("user.update %d", h.bob.ID) + because, fmt.Sprintf("user.update %d", h.kid.ID) + because,
			}, chain(e))
			rows, gone := byID(e), fmt.Sprintf("%d → null", h.ann.ID)
			requireChanges(t, map[string]string{"owner_id": gone}, rows["k"])
			requireChanges(t, map[string]string{"spouse": gone}, rows[fmt.Sprint(h.bob.ID)])
			requireChanges(t, map[string]string{"parent": gone}, rows[fmt.Sprint(h.kid.ID)])
			require.Equal(t, "kid", rows[fmt.Sprint(h.kid.ID)].Resource.Label)
			require.Equal(t, "acme", rows[fmt.Sprint(h.kid.ID)].Tenant.ID)
			requireChanges(t, map[string]string{"name": `"rex" → -`, "owner": fmt.Sprintf("%d → -", h.ann.ID)}, rows[h.pet.ID.String()])
		},
	}
}

// case20SetNullAndCascade clears two keys of a row, and one of a row that goes as well.
func case20SetNullAndCascade() player {
	return story[household]{
		seed: func(t *testing.T, b *bundle) household {
			h := seedHousehold(t, b)
			f := b.plain.Folder.Create().SetName("f").SaveX(t.Context())
			b.plain.File.Create().SetID("x").SetFolder(f).ExecX(t.Context())
			b.plain.File.Create().SetID("y").SetFolder(f).ExecX(t.Context())
			b.plain.Scan.Create().SetFileID("x").SetLatestOfID("x").ExecX(t.Context())
			b.plain.Scan.Create().SetFileID("x").SetLatestOfID("y").ExecX(t.Context())
			return h
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, h household) {
			require.Equal(t, 2, c.User.Delete().Where(user.NameIn("ann", "bob")).ExecX(t.Context()))
			c.File.DeleteOneID("x").ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, h household) {
			ops := map[string]int{}
			for _, e := range e {
				ops[e.Action]++
			}
			require.Equal(t, map[string]int{
				"user.delete": 2, "user.update": 1, "pet.delete": 1, "payment_card.update": 1, "file.delete": 1, "scan.update": 2,
			}, ops)
			for _, e := range e[len(e)-2:] {
				if len(e.Changes) == 2 {
					requireChanges(t, map[string]string{"file_id": `"x" → null`, "latest_of": `"x" → null`}, e)
				} else {
					requireChanges(t, map[string]string{"file_id": `"x" → null`}, e)
				}
			}
			require.Equal(t, fmt.Sprintf("%d → -", h.ann.ID), change(byID(e)[fmt.Sprint(h.bob.ID)], "spouse"), "what it was before")
		},
	}
}

// case20RefusedDelete has the database refuse a delete for a key that does nothing.
func case20RefusedDelete() player {
	return story[*ent.User]{
		seed: func(t *testing.T, b *bundle) *ent.User {
			h := seedHousehold(t, b)
			b.plain.Tweet.Create().SetID(1).SetText("t").SetAuthor(h.ann).ExecX(t.Context())
			return h.ann
		},
		do: func(t *testing.T, b *bundle, c *ent.Client, ann *ent.User) {
			tx, err := c.Tx(t.Context())
			switch {
			case err == nil:
				require.NoError(t, tx.Rollback())
			case b.dialect == dialect.Postgres:
				return // c is a transaction, which would be lost
			}
			err = c.User.DeleteOne(ann).Exec(t.Context())
			require.True(t, ent.IsConstraintError(err), "%v", err)
		},
		check: requireNone[*ent.User],
	}
}

func case79UnauditedInBetween() player {
	return story[tree]{
		seed: func(t *testing.T, b *bundle) tree {
			s := seedTree(t, b)
			k := b.plain.Chunk.Create().SetFileID("in leaf").SaveX(t.Context())
			b.plain.Mark.Create().SetText("m").SetChunk(k).ExecX(t.Context())
			return s
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, s tree) {
			c.Folder.DeleteOne(s.leaf).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tree) {
			require.Len(t, e, 3)
			require.Equal(t, []string{
				fmt.Sprintf("folder.delete %d", s.leaf.ID),
				fmt.Sprintf("file.delete in leaf < folder.delete %d", s.leaf.ID),
				fmt.Sprintf("mark.delete %s < file.delete in leaf", e[2].Resource.ID),
			}, chain(e))
			require.Equal(t, `"m" → -`, change(e[2], "text"))
			require.Zero(t, b.plain.Chunk.Query().CountX(t.Context()))
		},
	}
}
