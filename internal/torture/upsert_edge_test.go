package torture_test

import (
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/invoice"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestUpsertEdges(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{{"Case30 with edges", case30Edges()}})
}

// case30Edges links a row that may be there: the entry lists the links that are new.
func case30Edges() player {
	type graph struct {
		ann       *ent.User
		old, next *ent.Group
		pet       *ent.Pet
	}
	return story[graph]{
		seed: func(t *testing.T, b *bundle) graph {
			c := b.plain
			g := graph{
				ann: seedUser(t, b), old: c.Group.Create().SetName("old").SaveX(t.Context()),
				next: c.Group.Create().SetName("next").SaveX(t.Context()), pet: c.Pet.Create().SetName("rex").SaveX(t.Context()),
			}
			c.User.UpdateOne(g.ann).AddGroups(g.old).ExecX(t.Context())
			return g
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, g graph) {
			for _, email := range []string{"ann@example.com", "new@example.com"} {
				u := c.User.Create().SetName("x").SetEmail(email).AddGroups(g.old, g.next)
				if email == "ann@example.com" {
					u.AddPets(g.pet)
				}
				u.OnConflictColumns(user.FieldEmail).Update(func(u *ent.UserUpsert) { u.AddAge(1) }).ExecX(t.Context())
			}
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, g graph) {
			id := func(v any) string { return fmt.Sprint(v) }
			var own []entaudit.Entry
			for _, e := range e {
				if e.Resource.Type == "user" {
					own = append(own, e)
				}
			}
			require.Len(t, own, 2)
			require.Equal(t, []entaudit.Operation{entaudit.OpUpdate, entaudit.OpCreate}, operations(own))
			requireChanges(t, map[string]string{"age": "10 → 11"}, own[0])
			require.ElementsMatch(t, []entaudit.EdgeChange{
				{Edge: "groups", Added: []string{id(g.next.ID)}}, {Edge: "pets", Added: []string{id(g.pet.ID)}},
			}, own[0].Edges)
			require.Len(t, own[1].Edges, 1)
			require.ElementsMatch(t, []string{id(g.old.ID), id(g.next.ID)}, own[1].Edges[0].Added)
			for _, e := range e {
				if e.Resource.Type == "pet" {
					require.Equal(t, own[0].ID, e.CauseID)
					requireChanges(t, map[string]string{"owner": "null → " + id(g.ann.ID)}, e)
				}
			}
		},
	}
}

// TestCase33EdgesOfRowsWithoutID: MySQL tells the ids of those rows only that a bulk upsert
// has changed. For one that stays as it was ent sets keys to NULL that are NULL.
func TestCase33EdgesOfRowsWithoutID(t *testing.T) {
	t.Parallel()
	for _, found := range []string{"false", "true"} {
		t.Run("clientFoundRows="+found, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, dialect.MySQL)
			b := open(t, dialect.MySQL, driver, testdb.WithParam(dsn, "clientFoundRows", found), entaudit.Config{})
			b.plain.Invoice.Create().SetNumber("there").ExecX(t.Context())
			free := b.plain.Blob.MapCreateBulk(make([]int, 3), func(b *ent.BlobCreate, _ int) { b.SetName("free") }).SaveX(t.Context())
			link := func(c *ent.Client, free *ent.Blob) error {
				return c.Invoice.CreateBulk(
					c.Invoice.Create().SetNumber("there"), c.Invoice.Create().SetNumber("there").AddAttachments(free),
				).OnConflictColumns(invoice.FieldNumber).UpdateNewValues().Exec(t.Context())
			}
			fails := link(b.plain, free[0]) != nil // ent takes the key for one that is set
			b.oracle.forget(t)
			require.Equal(t, fails, ent.IsConstraintError(link(b.client, free[1])))
			b.oracle.compare(t)
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			require.Equal(t, fails, ent.IsConstraintError(link(tx.Client(), free[2])))
			require.NoError(t, tx.Commit())
			b.oracle.compare(t)
			require.Zero(t, b.db.Stats().InUse)
		})
	}
}
