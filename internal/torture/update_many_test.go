package torture_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestUpdateMany(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case11UpdateMany", case11UpdateMany()},
		{"Case12AddOnManyRows", case12AddOnManyRows()},
		{"Case12PredicateOnWhatIsWritten", case12PredicateOnWhatIsWritten()},
		{"Case12PredicateOnNeighbours", case12PredicateOnNeighbours()},
		{"Case69KeywordsAndStorageKeys", case69KeywordsAndStorageKeys()},
	})
}

// seedUsers makes ten users whose ages and names differ; the last three are closed.
func seedUsers(t *testing.T, b *bundle) []*ent.User {
	t.Helper()
	return b.plain.User.MapCreateBulk(make([]int, 10), func(u *ent.UserCreate, i int) {
		u.SetName(fmt.Sprint("u", i)).SetAge(i).SetUpdatedAt(longAgo())
		if i >= 7 {
			u.SetStatus(user.StatusClosed)
		}
	}).SaveX(t.Context())
}

func case11UpdateMany() player {
	return story[[]*ent.User]{
		seed: seedUsers,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ []*ent.User) {
			n := c.User.Update().Where(user.StatusEQ(user.StatusOpen)).
				SetStatus(user.StatusClosed).SetName("same").SetUpdatedAt(later()).SaveX(t.Context())
			require.Equal(t, 7, n)
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, us []*ent.User) {
			require.Len(t, e, 7)
			of := byID(e)
			for i, u := range us[:7] {
				requireChanges(t, map[string]string{
					"status": `"open" → "closed"`, "name": fmt.Sprintf(`"u%d" → "same"`, i), "updated_at": updated,
				}, of[fmt.Sprint(u.ID)])
				require.Equal(t, "same", of[fmt.Sprint(u.ID)].Resource.Label)
			}
		},
	}
}

func case12AddOnManyRows() player {
	return story[[]*ent.User]{
		seed: seedUsers,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ []*ent.User) {
			// Some rows have the value already: only the others change.
			c.User.Update().AddAge(5).SetUpdatedAt(longAgo()).ExecX(t.Context())
			c.User.Update().SetStatus(user.StatusOpen).SetUpdatedAt(longAgo()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, us []*ent.User) {
			require.Len(t, e, 13)
			first, last := byID(e[:10]), byID(e[10:])
			for i, u := range us {
				id := fmt.Sprint(u.ID)
				requireChanges(t, map[string]string{"age": fmt.Sprintf("%d → %d", i, i+5)}, first[id])
				if i < 7 {
					require.NotContains(t, last, id)
					continue
				}
				requireChanges(t, map[string]string{"status": `"closed" → "open"`}, last[id])
			}
		},
	}
}

// case12PredicateOnWhatIsWritten updates the column that chooses the rows.
func case12PredicateOnWhatIsWritten() player {
	return story[[]*ent.User]{
		seed: seedUsers,
		do: func(t *testing.T, _ *bundle, c *ent.Client, us []*ent.User) {
			require.Equal(t, 2, c.User.Update().Where(user.AgeLT(2)).AddAge(100).SetUpdatedAt(longAgo()).SaveX(t.Context()))
			err := c.User.UpdateOne(us[5]).Where(user.Age(5)).SetAge(6).SetUpdatedAt(longAgo()).Exec(t.Context())
			require.NoError(t, err)
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, us []*ent.User) {
			require.Len(t, e, 3)
			requireChanges(t, map[string]string{"age": "5 → 6"}, e[2])
			require.Equal(t, fmt.Sprint(us[5].ID), e[2].Resource.ID)
		},
	}
}

// case12PredicateOnNeighbours chooses rows by those of another table.
func case12PredicateOnNeighbours() player {
	return story[[]*ent.User]{
		seed: func(t *testing.T, b *bundle) []*ent.User {
			us := seedUsers(t, b)
			b.plain.Card.Create().SetID("k").SetNumber("1").SetOwner(us[3]).ExecX(t.Context())
			return us
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ []*ent.User) {
			n := c.User.Update().Where(user.HasCard()).AddAge(1).SetUpdatedAt(longAgo()).SaveX(t.Context())
			require.Equal(t, 1, n)
			require.Equal(t, 9, c.User.Delete().Where(user.Not(user.HasCard())).ExecX(t.Context()))
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, us []*ent.User) {
			require.Len(t, e, 10)
			require.Equal(t, fmt.Sprint(us[3].ID), e[0].Resource.ID)
			requireChanges(t, map[string]string{"age": "3 → 4"}, e[0])
		},
	}
}

func case69KeywordsAndStorageKeys() player {
	return story[*ent.Kinds]{
		seed: func(t *testing.T, b *bundle) *ent.Kinds {
			return b.plain.Kinds.Create().SetOrder("a").SetTouchedAt(longAgo()).SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, k *ent.Kinds) {
			c.Kinds.UpdateOne(k).SetOrder("b").SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.Update().SetOrder("c").SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.DeleteOne(k).ExecX(t.Context())
			r := c.Ticket.Create().SetTitle("a").SetCode("x").SetMadeAt(longAgo()).SetNumber(1).SaveX(t.Context())
			c.Ticket.UpdateOne(r).SetTitle("b").ExecX(t.Context())
			c.Ticket.Update().SetTitle("c").ExecX(t.Context())
			c.Ticket.Delete().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Kinds) {
			require.Len(t, e, 7)
			requireChanges(t, map[string]string{"order": `"a" → "b"`}, e[0])
			requireChanges(t, map[string]string{"order": `"b" → "c"`}, e[1])
			at := `"2001-02-03T04:05:06Z"`
			requireChanges(t, map[string]string{"order": `"c" → -`, "touched_at": at + " → -"}, e[2])
			requireChanges(t, map[string]string{
				"title": `- → "a"`, "code": `- → "x"`, "number": "- → 1", "made_at": "- → " + at,
			}, e[3])
			requireChanges(t, map[string]string{"title": `"a" → "b"`}, e[4])
			requireChanges(t, map[string]string{"title": `"b" → "c"`}, e[5])
			requireChanges(t, map[string]string{
				"title": `"c" → -`, "code": `"x" → -`, "number": "1 → -", "made_at": at + " → -",
			}, e[6])
		},
	}
}
