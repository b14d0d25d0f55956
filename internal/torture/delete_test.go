package torture_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/card"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case15DeleteOne", case15DeleteOne()},
		{"Case15DeleteOneIDWithPredicate", case15DeleteOneIDWithPredicate()},
		{"Case16DeleteOfMissingRow", case16DeleteOfMissingRow()},
		{"Case17DeleteMany", case17DeleteMany()},
	})
}

// annsRow are the changes of an entry that tells of the end of the user of seedUser.
func annsRow() map[string]string {
	return map[string]string{
		"name": `"ann" → -`, "email": `"ann@example.com" → -`, "age": "10 → -", "nick": `"a" → -`, "tags": `["x"] → -`,
		"status": `"open" → -`, "tenant": `"acme" → -`, "settings": `{"theme":"dark"} → -`, "level": `"basic" → -`,
		"version": "1 → -", "created_at": "*", "updated_at": `"2001-02-03T04:05:06Z" → -`,
	}
}

func case15DeleteOne() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			c.User.DeleteOne(ann).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, ann *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, entaudit.OpDelete, e[0].Operation)
			require.Equal(t, "user.delete", e[0].Action)
			require.Equal(t, entaudit.Resource{Type: "user", ID: fmt.Sprint(ann.ID), Label: "ann"}, e[0].Resource)
			require.Equal(t, "acme", e[0].Tenant.ID)
			requireChanges(t, annsRow(), e[0])
		},
	}
}

func case15DeleteOneIDWithPredicate() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			err := c.User.DeleteOneID(ann.ID).Where(user.Age(11)).Exec(t.Context())
			require.True(t, ent.IsNotFound(err), "%v", err)
			require.NoError(t, c.User.DeleteOneID(ann.ID).Where(user.Age(10)).Exec(t.Context()))
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 1)
			requireChanges(t, annsRow(), e[0])
		},
	}
}

func case16DeleteOfMissingRow() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			err := c.User.DeleteOneID(ann.ID + 1).Exec(t.Context())
			require.True(t, ent.IsNotFound(err), "%v", err)
			require.Zero(t, c.User.Delete().Where(user.Name("nobody")).ExecX(t.Context()))
			require.True(t, ent.IsNotFound(c.Card.DeleteOneID("none").Exec(t.Context())))
		},
		check: requireNone[*ent.User],
	}
}

// case17DeleteMany has its number of statements checked by TestBudgetDelete.
func case17DeleteMany() player {
	const n = 57
	return story[int]{
		seed: func(t *testing.T, b *bundle) int {
			b.plain.Card.MapCreateBulk(make([]int, n), func(k *ent.CardCreate, i int) {
				k.SetID(fmt.Sprintf("c%02d", i)).SetNumber(fmt.Sprint(i))
			}).ExecX(t.Context())
			b.plain.Card.Create().SetID("kept").SetNumber("x").ExecX(t.Context())
			return 0
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			require.Equal(t, n, c.Card.Delete().Where(card.NumberNEQ("x")).ExecX(t.Context()))
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, n)
			seen := make(map[string]bool)
			for _, e := range e {
				seen[e.Resource.ID] = true
				var i int
				_, err := fmt.Sscanf(e.Resource.ID, "c%02d", &i)
				require.NoError(t, err)
				requireChanges(t, map[string]string{"number": fmt.Sprintf(`"%d" → -`, i)}, e)
			}
			require.Len(t, seen, n)
			require.Equal(t, []string{"kept"}, b.plain.Card.Query().IDsX(t.Context()))
		},
	}
}
