package torture_test

import (
	"fmt"
	"testing"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// seedEdges makes a user, n groups and pets without owner, and a tweet and n tags.
func seedEdges(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	u := oldUser(c, "ann").SaveX(t.Context())
	oldUser(c, "bob").ExecX(t.Context())
	list := make([]int, n)
	c.Group.MapCreateBulk(list, func(g *ent.GroupCreate, _ int) { g.SetName("g") }).ExecX(t.Context())
	c.Pet.MapCreateBulk(list, func(p *ent.PetCreate, _ int) { p.SetName("p") }).ExecX(t.Context())
	c.Tweet.Create().SetText("t").SetAuthor(u).ExecX(t.Context())
	c.Card.Create().SetID("k").SetNumber("1").ExecX(t.Context())
	c.Tag.Create().SetName("x").ExecX(t.Context())
}

// seedLinked links all that seedEdges makes.
func seedLinked(t *testing.T, c *ent.Client, n int) {
	t.Helper()
	seedEdges(t, c, n)
	c.User.Update().Where(user.Name("ann")).AddGroupIDs(c.Group.Query().IDsX(t.Context())...).AddPetIDs(c.Pet.Query().IDsX(t.Context())...).
		SetUpdatedAt(longAgo()).ExecX(t.Context())
	c.Tweet.Update().AddTagIDs(c.Tag.Query().IDsX(t.Context())...).ExecX(t.Context())
}

// edgeBudgets are updates of one user, and of one tweet. Two of what is counted without
// auditing are queries of the test's own.
func edgeBudgets() []budget {
	ann := func(t *testing.T, c *ent.Client) *ent.UserUpdateOne {
		t.Helper()
		return c.User.UpdateOneID(c.User.Query().Order(user.ByID()).FirstIDX(t.Context())).SetUpdatedAt(longAgo())
	}
	return []budget{
		{
			name: "AddGroups", seed: seedEdges,
			do: func(t *testing.T, c *ent.Client, _ int) {
				ann(t, c).AddGroupIDs(c.Group.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(5), audited: costs(8, 7, 8), inTx: costs(8, 7, 8),
		},
		{
			name: "AddGroups that are there", seed: seedLinked,
			do: func(t *testing.T, c *ent.Client, _ int) {
				ann(t, c).AddGroupIDs(c.Group.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(5), audited: costs(7, 6, 8), inTx: costs(7, 6, 8),
		},
		{
			name: "ClearGroups", seed: seedLinked,
			do:    func(t *testing.T, c *ent.Client, _ int) { ann(t, c).ClearGroups().ExecX(t.Context()) },
			plain: same(4), audited: costs(7, 6, 7), inTx: costs(7, 6, 7),
		},
		{
			name: "AddPets", seed: seedEdges,
			do: func(t *testing.T, c *ent.Client, _ int) {
				ann(t, c).AddPetIDs(c.Pet.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(5), audited: costs(8, 7, 8), inTx: costs(8, 7, 8),
		},
		{
			name: "ClearPets", seed: seedLinked,
			do:    func(t *testing.T, c *ent.Client, _ int) { ann(t, c).ClearPets().ExecX(t.Context()) },
			plain: same(4), audited: costs(7, 6, 7), inTx: costs(7, 6, 7),
		},
		{
			name: "ClearPets of many owners", seed: seedLinked,
			do: func(t *testing.T, c *ent.Client, _ int) {
				c.User.Update().Where(user.NameIn("ann", "bob")).ClearPets().SetUpdatedAt(longAgo()).ExecX(t.Context())
			},
			plain: same(3), audited: costs(7, 6, 7), inTx: costs(7, 6, 7),
		},
		{
			name: "SetCard", seed: seedEdges,
			do:    func(t *testing.T, c *ent.Client, _ int) { ann(t, c).SetCardID("k").ExecX(t.Context()) },
			plain: same(4), audited: costs(7, 6, 7), inTx: costs(7, 6, 7),
		},
		{
			name: "AddTags", seed: seedEdges,
			do: func(t *testing.T, c *ent.Client, _ int) {
				c.Tweet.Update().AddTagIDs(c.Tag.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(3), audited: costs(6, 5, 6), inTx: costs(6, 5, 6),
		},
		{
			name: "create with groups", seed: seedEdges,
			do: func(t *testing.T, c *ent.Client, _ int) {
				oldUser(c, "new").AddGroupIDs(c.Group.Query().IDsX(t.Context())...).ExecX(t.Context())
			},
			plain: same(3), audited: costs(4, 4, 5), inTx: costs(4, 4, 5),
		},
	}
}

func TestBudgetEdges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		// On SQLite one INSERT has place for a hundred entries.
		for _, n := range []int{1, 10, 90} {
			for _, q := range edgeBudgets() {
				seed := q.seed
				q.one, q.seed = true, func(t *testing.T, c *ent.Client, _ int) { seed(t, c, n) }
				t.Run(fmt.Sprint(q.name, " of ", n), func(t *testing.T) { q.check(t, b) })
			}
		}
	})
}
