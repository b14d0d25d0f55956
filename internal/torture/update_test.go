package torture_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestUpdateOne(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case05UpdateOneID", case05UpdateOneID()},
		{"Case05UpdateDefault", case05UpdateDefault()},
		{"Case06StaleNode", case06StaleNode()},
		{"Case06SelectedNode", case06SelectedNode()},
		{"Case06SelectOfTheResult", case06SelectOfTheResult()},
		{"Case07AddAge", case07AddAge()},
		{"Case08AppendTags", case08AppendTags()},
		{"Case08AppendToNothing", case08AppendToNothing()},
		{"Case09Clear", case09Clear()},
		{"Case09ClearMany", case09ClearMany()},
		{"Case09SetNillable", case09SetNillable()},
		{"Case09EmptyIsNotNull", case09EmptyIsNotNull()},
		{"Case10SameValue", case10SameValue()},
		{"Case10NothingSet", case10NothingSet()},
		{"Case10UpdateDefaultAlone", case10UpdateDefaultAlone()},
		{"Case13NoMatch", case13NoMatch()},
		{"Case57TableWithRows", case57TableWithRows()},
	})
}

// updated is the change that each update of a user of seedUser makes on its own.
const updated = `"2001-02-03T04:05:06Z" → "2002-02-03T04:05:06Z"`

// later is when the users of these tests are updated.
func later() time.Time { return longAgo().AddDate(1, 0, 0) }

// oneUpdate is a story of one entry of the user of seedUser, with the given changes
// beside that of updated_at.
func oneUpdate(do func(t *testing.T, b *bundle, c *ent.Client, ann *ent.User), want map[string]string) story[*ent.User] {
	return story[*ent.User]{
		seed: seedUser, do: do,
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, ann *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, entaudit.OpUpdate, e[0].Operation)
			require.Equal(t, "user.update", e[0].Action)
			require.Equal(t, "user", e[0].Resource.Type)
			require.Equal(t, fmt.Sprint(ann.ID), e[0].Resource.ID)
			require.Equal(t, "acme", e[0].Tenant.ID)
			all := map[string]string{"updated_at": updated}
			maps.Copy(all, want)
			requireChanges(t, all, e[0])
		},
	}
}

func case05UpdateOneID() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		u := c.User.UpdateOneID(ann.ID).SetName("bob").SetUpdatedAt(later()).SaveX(t.Context())
		require.Equal(t, "bob", u.Name)
		require.Equal(t, 10, u.Age)
	}, map[string]string{"name": `"ann" → "bob"`})
}

// case05UpdateDefault has the time of the update set by ent.
func case05UpdateDefault() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			c.User.UpdateOneID(ann.ID).SetName("bob").ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 1)
			requireChanges(t, map[string]string{"name": `"ann" → "bob"`, "updated_at": "*"}, e[0])
			require.Equal(t, "bob", e[0].Resource.Label)
		},
	}
}

func case06StaleNode() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			stale := c.User.GetX(t.Context(), ann.ID)
			c.User.UpdateOneID(ann.ID).SetName("newer").SetAge(11).SetUpdatedAt(longAgo()).ExecX(t.Context())
			stale.Update().SetName("bob").SetAge(12).SetNick("a").SetUpdatedAt(later()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 2)
			requireChanges(t, map[string]string{"name": `"newer" → "bob"`, "age": "11 → 12", "updated_at": updated}, e[1])
		},
	}
}

func case06SelectedNode() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
		part := c.User.Query().Select(user.FieldID, user.FieldStatus).OnlyX(t.Context())
		part.Update().SetName("bob").AddAge(1).SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"name": `"ann" → "bob"`, "age": "10 → 11"})
}

func case06SelectOfTheResult() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		u := c.User.UpdateOneID(ann.ID).SetName("bob").SetUpdatedAt(later()).Select(user.FieldStatus).SaveX(t.Context())
		require.Empty(t, u.Name)
		require.Equal(t, user.StatusOpen, u.Status)
	}, map[string]string{"name": `"ann" → "bob"`})
}

func case07AddAge() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		c.User.UpdateOneID(ann.ID).AddAge(5).SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"age": "10 → 15"})
}

func case08AppendTags() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		c.User.UpdateOneID(ann.ID).AppendTags([]string{"y", "z"}).SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"tags": `["x"] → ["x","y","z"]`})
}

func case08AppendToNothing() player {
	return story[*ent.User]{
		seed: func(t *testing.T, b *bundle) *ent.User { return oldUser(b.plain, "ann").SaveX(t.Context()) },
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			c.User.Update().AppendTags([]string{"y"}).SetUpdatedAt(later()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 1)
			requireChanges(t, map[string]string{"tags": `null → ["y"]`, "updated_at": updated}, e[0])
		},
	}
}

func case09Clear() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		c.User.UpdateOneID(ann.ID).ClearNick().ClearSettings().ClearTags().ClearEmail().SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{
		"nick": `"a" → null`, "settings": `{"theme":"dark"} → null`, "tags": `["x"] → null`, "email": `"ann@example.com" → null`,
	})
}

func case09ClearMany() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
		c.User.Update().ClearNick().ClearSettings().SetUpdatedAt(later()).ExecX(t.Context())
		// What is NULL already does not change.
		c.User.Update().ClearNick().ClearPassword().SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"nick": `"a" → null`, "settings": `{"theme":"dark"} → null`})
}

func case09SetNillable() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		nick := "b"
		c.User.UpdateOneID(ann.ID).SetNillableNick(&nick).SetNillableName(nil).SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"nick": `"a" → "b"`})
}

// case09EmptyIsNotNull tells "" from NULL.
func case09EmptyIsNotNull() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
		c.User.Update().SetNick("").SetTags([]string{}).SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"nick": `"a" → ""`, "tags": `["x"] → []`})
}

// case10SameValue is case 59 as well: MySQL counts no row as affected.
func case10SameValue() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			u := c.User.UpdateOneID(ann.ID).SetName("ann").SetTags([]string{"x"}).SetSettings(map[string]any{"theme": "dark"}).
				SetUpdatedAt(longAgo()).SaveX(t.Context())
			require.Equal(t, "ann", u.Name)
			c.User.Update().SetName("ann").AddAge(0).SetUpdatedAt(longAgo()).ExecX(t.Context())
		},
		check: requireNone[*ent.User],
	}
}

func case10NothingSet() player {
	return story[*ent.Card]{
		seed: seedCard,
		do: func(t *testing.T, _ *bundle, c *ent.Client, k *ent.Card) {
			require.Equal(t, "1", c.Card.UpdateOne(k).SaveX(t.Context()).Number)
			c.Card.Update().ExecX(t.Context())
			c.Card.Update().SetNillableNumber(nil).ExecX(t.Context())
		},
		check: requireNone[*ent.Card],
	}
}

// case10UpdateDefaultAlone leaves an entry of updated_at, unless the mixin says
// otherwise, as that of Kinds does.
func case10UpdateDefaultAlone() player {
	return story[*ent.User]{
		quiet: true, // touched_at of Kinds
		seed: func(t *testing.T, b *bundle) *ent.User {
			b.plain.Kinds.Create().SetStr("a").SetTouchedAt(longAgo()).ExecX(t.Context())
			return seedUser(t, b)
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			c.Kinds.Update().ExecX(t.Context())
			c.Kinds.Update().SetStr("a").ExecX(t.Context())
			c.User.UpdateOne(ann).SetName("ann").ExecX(t.Context())
			c.Kinds.Update().SetStr("b").SetTouchedAt(later()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 2)
			require.Equal(t, "user", e[0].Resource.Type)
			requireChanges(t, map[string]string{"updated_at": "*"}, e[0])
			requireChanges(t, map[string]string{"str": `"a" → "b"`, "touched_at": "*"}, e[1])
		},
	}
}

func case13NoMatch() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			err := c.User.UpdateOneID(ann.ID).Where(user.Age(11)).SetName("bob").Exec(t.Context())
			require.True(t, ent.IsNotFound(err), "%v", err)
			err = c.User.UpdateOneID(ann.ID + 1).SetName("bob").Exec(t.Context())
			require.True(t, ent.IsNotFound(err), "%v", err)
			require.Zero(t, c.User.Update().Where(user.Age(11)).SetName("bob").SaveX(t.Context()))
		},
		check: requireNone[*ent.User],
	}
}

func TestCase14ErrorsOnUpdate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ann := seedUser(t, b)
		b.plain.User.Create().SetName("bob").SetEmail("bob@example.com").ExecX(t.Context())
		b.oracle.forget(t)
		for name, err := range map[string]error{
			"validator, one":  b.client.User.UpdateOne(ann).SetName("").Exec(t.Context()),
			"validator, many": b.client.User.Update().SetName("").Exec(t.Context()),
		} {
			require.True(t, ent.IsValidationError(err), "%s: %v", name, err)
		}
		for name, err := range map[string]error{
			"unique, one":  b.client.User.UpdateOne(ann).SetEmail("bob@example.com").Exec(t.Context()),
			"unique, many": b.client.User.Update().SetEmail("carl@example.com").Exec(t.Context()),
		} {
			require.True(t, ent.IsConstraintError(err), "%s: %v", name, err)
		}
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
		require.Zero(t, b.db.Stats().InUse)
	})
}

// case57TableWithRows switches auditing on over a table that has rows.
func case57TableWithRows() player {
	return oneUpdate(func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
		c.User.UpdateOne(ann).SetNick("n").SetPassword("first").SetUpdatedAt(later()).ExecX(t.Context())
	}, map[string]string{"nick": `"a" → "n"`, "password": `null → "[REDACTED]"`})
}

// TestCase59SameValues has every result that ent computes from affected rows equal to
// what an unaudited client gets.
func TestCase59SameValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		k := seedCard(t, b)
		b.oracle.forget(t)
		plain := b.plain.Card.Update().SetNumber("1").SaveX(t.Context())
		require.Equal(t, plain, b.client.Card.Update().SetNumber("1").SaveX(t.Context()))
		require.NoError(t, b.client.Card.UpdateOne(k).SetNumber("1").Exec(t.Context()))
		require.NoError(t, b.client.Card.UpdateOneID(k.ID).SetNumber("1").Exec(t.Context()))
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
	})
}

func seedCard(t *testing.T, b *bundle) *ent.Card {
	t.Helper()
	return b.plain.Card.Create().SetID("k").SetNumber("1").SaveX(t.Context())
}
