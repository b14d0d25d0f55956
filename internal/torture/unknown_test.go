package torture_test

import (
	"fmt"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

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
