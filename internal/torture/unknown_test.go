package torture_test

import (
	"fmt"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/group"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// TestEdgesInOtherTables: which links of such an edge changed is not read yet; the
// entry says that the edge was written.
func TestEdgesInOtherTables(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		b.oracle.exclude("pets")
		g := c.Group.Create().SetName("g").SaveX(t.Context())
		p := c.Pet.Create().SetName("p").SaveX(t.Context())
		u := c.User.Create().SetName("ann").AddGroups(g).SaveX(t.Context())
		c.User.UpdateOne(u).AddPets(p).RemoveGroups(g).ExecX(t.Context())
		c.User.Update().ClearPets().SetAge(3).ExecX(t.Context())
		t.Cleanup(func() {
			e := b.entries(t)
			require.Len(t, e, 5)
			unknown := func(names ...string) (edges []entaudit.EdgeChange) {
				for _, n := range names {
					edges = append(edges, entaudit.EdgeChange{Edge: n, Unknown: true})
				}
				return edges
			}
			require.Equal(t, unknown("groups"), e[2].Edges)
			require.Equal(t, unknown("groups", "pets"), e[3].Edges)
			require.Equal(t, unknown("pets"), e[4].Edges)
			require.Equal(t, "update user", string(e[4].Operation)+" "+e[4].Resource.Type)
		})
	})
}

func TestCase27OwnerWithoutField(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		u := c.User.Create().SetName("ann").SaveX(t.Context())
		v := c.User.Create().SetName("bob").SaveX(t.Context())
		p := c.Pet.Create().SetName("rex").SetOwner(u).SaveX(t.Context())
		c.Pet.UpdateOne(p).SetOwner(v).ExecX(t.Context())
		c.Pet.Update().ClearOwner().ExecX(t.Context())
		c.Card.Create().SetID("c").SetNumber("1").SetOwner(u).ExecX(t.Context())
		t.Cleanup(func() {
			e := b.entries(t)
			requireChanges(t, map[string]string{"name": `- → "rex"`, "owner": fmt.Sprintf("- → %d", u.ID)}, e[2])
			requireChanges(t, map[string]string{"owner": fmt.Sprintf("%d → %d", u.ID, v.ID)}, e[3])
			requireChanges(t, map[string]string{"owner": fmt.Sprintf("%d → null", v.ID)}, e[4])
			requireChanges(t, map[string]string{"number": `- → "1"`, "owner_id": fmt.Sprintf("- → %d", u.ID)}, e[5])
		})
	})
}

func TestCase35Modify(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		u := c.User.Create().SetName("ann").SetAge(4).SaveX(t.Context())
		double := func(m *entsql.UpdateBuilder) { m.Set(user.FieldAge, entsql.Expr("age * 2")) }
		c.User.Update().Modify(double).ExecX(t.Context())
		c.User.UpdateOne(u).Modify(double).ExecX(t.Context())
		t.Cleanup(func() {
			e := b.entries(t)
			require.Equal(t, "4 → 8", change(e[1], "age"))
			require.Equal(t, "8 → 16", change(e[2], "age"))
		})
	})
}

// TestPredicateThatIsNotAsked: ent does not ask the predicate of an update by id that
// writes nothing but other tables.
func TestPredicateThatIsNotAsked(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		b.oracle.exclude("pets")
		u := c.User.Create().SetName("ann").AddPets(c.Pet.Create().SetName("rex").SaveX(t.Context())).SaveX(t.Context())
		m := c.Group.Create().SetName("g").AddUsers(u).SaveX(t.Context())
		require.NoError(t, c.Group.UpdateOne(m).Where(group.Name("nope")).ClearUsers().Exec(t.Context()))
		require.Zero(t, c.Group.QueryUsers(m).CountX(t.Context()), "ent has cleared the edge")
		t.Cleanup(func() {
			e := b.entries(t)
			require.Equal(t, []entaudit.EdgeChange{{Edge: "users", Unknown: true}}, e[len(e)-1].Edges)
		})
	})
}
