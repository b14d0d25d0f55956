package torture_test

import (
	"database/sql"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/account"
	"github.com/entaudit/audit/internal/torture/ent/card"
	counters "github.com/entaudit/audit/internal/torture/ent/counter"
	"github.com/entaudit/audit/internal/torture/ent/like"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestUpsert(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case30 insert and update", case30InsertAndUpdate()},
		{"Case30 numeric id", case30NumericID()},
		{"Case30 same values", case30SameValues()},
		{"Case30 composite key", case30CompositeKey()},
		{"Case30 key that is NULL", case30NullKey()},
		{"Case30 no key at all", case30NoKey()},
		{"Case30 key is written", case30KeyIsWritten()},
		{"Case31 Update", case31Update()},
		{"Case32 DoNothing", case32DoNothing()},
		{"Case32 Ignore", case32Ignore()},
		{"Case33 ids of the database", case33IDs()},
		{"Case33 numeric ids in bulk", case33NumericIDs()},
		{"Case33 one row twice", case33OneRowTwice()},
		{"Case34 one conflict and one new", case34DoNothingInBulk()},
		{"Case34 none new", case34NoneNew()},
		{"Case29 composite id", case29CompositeID()},
	})
}

func seedAccount(t *testing.T, b *bundle) *ent.Account {
	t.Helper()
	return b.plain.Account.Create().SetTenant("acme").SetCode("a").SetEmail("a@b.c").SetBalance(1).SetNick("n").SaveX(t.Context())
}

func case30InsertAndUpdate() player {
	return story[uuid.UUID]{
		do: func(t *testing.T, b *bundle, c *ent.Client, _ uuid.UUID) {
			for balance := range 2 {
				c.Account.Create().SetTenant("acme").SetCode("a").SetEmail("a@b.c").SetBalance(balance).
					OnConflictColumns(account.FieldEmail).UpdateNewValues().ExecX(t.Context())
			}
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ uuid.UUID) {
			id := b.plain.Account.Query().OnlyIDX(t.Context()).String()
			require.Len(t, e, 2)
			require.Equal(t, []entaudit.Operation{entaudit.OpCreate, entaudit.OpUpdate}, []entaudit.Operation{e[0].Operation, e[1].Operation})
			require.Equal(t, []string{"account.create", "account.update"}, []string{e[0].Action, e[1].Action})
			require.Equal(t, []string{id, id}, []string{e[0].Resource.ID, e[1].Resource.ID}, "not the id that was proposed")
			requireChanges(t, map[string]string{
				"tenant": `- → "acme"`, "code": `- → "a"`, "email": `- → "a@b.c"`, "balance": "- → 0",
			}, e[0])
			requireChanges(t, map[string]string{"balance": "0 → 1"}, e[1])
			require.Equal(t, "acme", e[1].Tenant.ID)
			require.Equal(t, "a", e[1].Resource.Label)
		},
	}
}

func case30NumericID() player {
	return story[int]{
		seed: func(t *testing.T, b *bundle) int {
			b.plain.Counter.Create().SetName("other").ExecX(t.Context())
			return b.plain.Counter.Create().SetName("a").SetHits(4).SaveX(t.Context()).ID
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, id int) {
			got := c.Counter.Create().SetName("a").SetHits(5).OnConflictColumns(counters.FieldName).UpdateNewValues().IDX(t.Context())
			require.Equal(t, id, got)
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, id int) {
			require.Len(t, e, 1)
			require.Equal(t, fmt.Sprint(id), e[0].Resource.ID)
			requireChanges(t, map[string]string{"hits": "4 → 5"}, e[0])
		},
	}
}

func case30SameValues() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.Create().SetTenant("acme").SetCode("a").SetEmail("a@b.c").SetBalance(1).SetNick("n").
				OnConflictColumns(account.FieldEmail).UpdateNewValues().ExecX(t.Context())
		},
		check: requireNone[*ent.Account],
	}
}

func case30CompositeKey() player {
	return story[*ent.Account]{
		seed: func(t *testing.T, b *bundle) *ent.Account {
			b.plain.Account.Create().SetTenant("acme").SetCode("b").ExecX(t.Context())
			b.plain.Account.Create().SetTenant("other").SetCode("a").ExecX(t.Context())
			return seedAccount(t, b)
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, a *ent.Account) {
			c.Account.Create().SetTenant("acme").SetCode("a").SetBalance(7).
				OnConflictColumns(account.FieldTenant, account.FieldCode).UpdateNewValues().ExecX(t.Context())
			c.Account.Create().SetTenant("acme").SetCode("c").SetBalance(8).
				OnConflictColumns(account.FieldTenant, account.FieldCode).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, a *ent.Account) {
			require.Len(t, e, 2)
			require.Equal(t, a.ID.String(), e[0].Resource.ID)
			requireChanges(t, map[string]string{"balance": "1 → 7"}, e[0])
			require.Equal(t, entaudit.OpCreate, e[1].Operation)
		},
	}
}

// case30NullKey: NULL is equal to nothing, also not to the NULL of another row.
func case30NullKey() player {
	return story[*ent.Account]{
		seed: func(t *testing.T, b *bundle) *ent.Account {
			return b.plain.Account.Create().SetTenant("acme").SetCode("a").SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.CreateBulk(
				c.Account.Create().SetTenant("acme").SetCode("b"),
				c.Account.Create().SetTenant("acme").SetCode("c").SetEmail("c@b.c"),
			).OnConflictColumns(account.FieldEmail).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Account) {
			require.Len(t, e, 2)
			requireChanges(t, map[string]string{"tenant": `- → "acme"`, "code": `- → "b"`, "balance": "- → 0"}, e[0])
			require.Equal(t, `- → "c@b.c"`, change(e[1], "email"))
		},
	}
}

// case30NoKey: rows that no key can lead to are found by the ids that the database makes.
func case30NoKey() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			c.User.Create().SetName("bob").OnConflictColumns(user.FieldEmail).UpdateNewValues().ExecX(t.Context())
			c.User.CreateBulk(c.User.Create().SetName("cid"), c.User.Create().SetName("dan")).
				OnConflictColumns(user.FieldEmail).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 3)
			for i, name := range []string{"bob", "cid", "dan"} {
				require.Equal(t, entaudit.OpCreate, e[i].Operation)
				require.Equal(t, fmt.Sprint(b.plain.User.Query().Where(user.Name(name)).OnlyIDX(t.Context())), e[i].Resource.ID)
			}
		},
	}
}

func case30KeyIsWritten() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.Create().SetTenant("acme").SetCode("x").SetEmail("a@b.c").OnConflictColumns(account.FieldEmail).
				Update(func(u *ent.AccountUpsert) { u.SetEmail("new@b.c").SetCode("y") }).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, a *ent.Account) {
			require.Len(t, e, 1)
			require.Equal(t, a.ID.String(), e[0].Resource.ID)
			requireChanges(t, map[string]string{"email": `"a@b.c" → "new@b.c"`, "code": `"a" → "y"`}, e[0])
		},
	}
}

// case31Update: what was proposed and not taken over is not told.
func case31Update() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			id := c.User.Create().SetName("proposed").SetEmail("ann@example.com").SetAge(99).SetNick("proposed").SetPassword("proposed").
				OnConflict(entsql.ConflictColumns(user.FieldEmail)).
				Update(func(u *ent.UserUpsert) { u.AddAge(5).ClearNick() }).IDX(t.Context())
			require.Equal(t, ann.ID, id)
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, ann *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, entaudit.OpUpdate, e[0].Operation)
			require.Equal(t, fmt.Sprint(ann.ID), e[0].Resource.ID)
			requireChanges(t, map[string]string{"age": "10 → 15", "nick": `"a" → null`}, e[0])
		},
	}
}

func case32DoNothing() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, b *bundle, c *ent.Client, _ *ent.Account) {
			err := c.Account.Create().SetTenant("acme").SetCode("a").SetBalance(9).
				OnConflict(entsql.ConflictColumns(account.FieldTenant, account.FieldCode)).DoNothing().Exec(t.Context())
			if b.dialect == dialect.MySQL {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, sql.ErrNoRows, "as without recording")
			}
		},
		check: requireNone[*ent.Account],
	}
}

func case32Ignore() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.Create().SetTenant("acme").SetCode("a").SetBalance(9).
				OnConflictColumns(account.FieldTenant, account.FieldCode).Ignore().ExecX(t.Context())
		},
		check: requireNone[*ent.Account],
	}
}

func case33IDs() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.CreateBulk(
				c.Account.Create().SetTenant("acme").SetCode("z").SetBalance(1),
				c.Account.Create().SetTenant("acme").SetCode("a").SetBalance(2),
				c.Account.Create().SetTenant("acme").SetCode("b").SetBalance(3),
			).OnConflictColumns(account.FieldTenant, account.FieldCode).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, a *ent.Account) {
			require.Len(t, e, 3)
			at := byID(e)
			require.Equal(t, entaudit.OpUpdate, at[a.ID.String()].Operation)
			requireChanges(t, map[string]string{"balance": "1 → 2"}, at[a.ID.String()])
			for code, balance := range map[string]string{"z": "- → 1", "b": "- → 3"} {
				id := b.plain.Account.Query().Where(account.Code(code)).OnlyIDX(t.Context()).String()
				require.Equal(t, entaudit.OpCreate, at[id].Operation)
				require.Equal(t, balance, change(at[id], "balance"))
			}
		},
	}
}

func case33NumericIDs() player {
	return story[int]{
		seed: func(t *testing.T, b *bundle) int { return b.plain.Counter.Create().SetName("b").SaveX(t.Context()).ID },
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			c.Counter.MapCreateBulk([]string{"a", "b", "c"}, func(k *ent.CounterCreate, i int) {
				k.SetName([]string{"a", "b", "c"}[i]).SetHits(i + 1)
			}).OnConflictColumns(counters.FieldName).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, id int) {
			require.Len(t, e, 3)
			at := byID(e)
			requireChanges(t, map[string]string{"hits": "0 → 2"}, at[fmt.Sprint(id)])
			for name, hits := range map[string]string{"a": "- → 1", "c": "- → 3"} {
				id := b.plain.Counter.Query().Where(counters.Name(name)).OnlyIDX(t.Context())
				require.Equal(t, hits, change(at[fmt.Sprint(id)], "hits"))
			}
		},
	}
}

// case33OneRowTwice has one entry of the difference. PostgreSQL refuses such a statement.
func case33OneRowTwice() player {
	return story[int]{
		seed: func(t *testing.T, b *bundle) int { return b.plain.Counter.Create().SetName("b").SaveX(t.Context()).ID },
		do: func(t *testing.T, b *bundle, c *ent.Client, _ int) {
			if b.dialect == dialect.Postgres {
				return
			}
			names := []string{"a", "b", "a", "b"}
			c.Counter.MapCreateBulk(names, func(k *ent.CounterCreate, i int) { k.SetName(names[i]).SetHits(i + 1) }).
				OnConflictColumns(counters.FieldName).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, id int) {
			if b.dialect == dialect.Postgres {
				return
			}
			require.Len(t, e, 2)
			requireChanges(t, map[string]string{"hits": "0 → 4"}, byID(e)[fmt.Sprint(id)])
			a := b.plain.Counter.Query().Where(counters.Name("a")).OnlyIDX(t.Context())
			requireChanges(t, map[string]string{"name": `- → "a"`, "hits": "- → 3"}, byID(e)[fmt.Sprint(a)])
		},
	}
}

func case34DoNothingInBulk() player {
	return story[*ent.Account]{
		seed: seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			// ent reads back fewer ids than it expects.
			err := c.Account.CreateBulk(
				c.Account.Create().SetTenant("acme").SetCode("a").SetBalance(2),
				c.Account.Create().SetTenant("acme").SetCode("b").SetBalance(3),
			).OnConflict(entsql.ConflictColumns(account.FieldTenant, account.FieldCode)).DoNothing().Exec(t.Context())
			require.NoError(t, err)
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ *ent.Account) {
			require.Len(t, e, 1)
			require.Equal(t, entaudit.OpCreate, e[0].Operation)
			require.Equal(t, b.plain.Account.Query().Where(account.Code("b")).OnlyIDX(t.Context()).String(), e[0].Resource.ID)
			require.Equal(t, "- → 3", change(e[0], "balance"))
		},
	}
}

func case34NoneNew() player {
	return story[*ent.Card]{
		seed: seedCard,
		do: func(t *testing.T, _ *bundle, c *ent.Client, k *ent.Card) {
			c.Card.CreateBulk(c.Card.Create().SetID(k.ID).SetNumber("2")).
				OnConflict(entsql.ConflictColumns(card.FieldID)).DoNothing().ExecX(t.Context())
		},
		check: requireNone[*ent.Card],
	}
}

func case29CompositeID() player {
	type pair struct {
		user   int
		tweets []*ent.Tweet
	}
	return story[pair]{
		seed: func(t *testing.T, b *bundle) pair {
			u := seedUser(t, b)
			p := pair{user: u.ID}
			for _, text := range []string{"a", "b", "c"} {
				p.tweets = append(p.tweets, b.plain.Tweet.Create().SetText(text).SetAuthorID(u.ID).SaveX(t.Context()))
			}
			b.plain.Like.Create().SetUserID(u.ID).SetTweet(p.tweets[0]).SetLikedAt(longAgo()).ExecX(t.Context())
			return p
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, p pair) {
			on := entsql.ConflictColumns(like.FieldUserID, like.FieldTweetID)
			for i := range 2 {
				c.Like.Create().SetUserID(p.user).SetTweet(p.tweets[i]).SetWeight(3).SetLikedAt(longAgo()).
					OnConflict(on).UpdateNewValues().ExecX(t.Context())
			}
			c.Like.CreateBulk(
				c.Like.Create().SetUserID(p.user).SetTweet(p.tweets[1]).SetWeight(4),
				c.Like.Create().SetUserID(p.user).SetTweet(p.tweets[2]).SetWeight(5),
			).OnConflict(on).Update(func(u *ent.LikeUpsert) { u.UpdateWeight() }).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, p pair) {
			require.Len(t, e, 4)
			id := func(i int) string { return fmt.Sprintf(`["%d","%d"]`, p.user, p.tweets[i].ID) }
			require.Equal(t, []string{id(0), id(1), id(1), id(2)},
				[]string{e[0].Resource.ID, e[1].Resource.ID, e[2].Resource.ID, e[3].Resource.ID})
			requireChanges(t, map[string]string{"weight": "1 → 3"}, e[0])
			require.Equal(t, entaudit.OpCreate, e[1].Operation)
			requireChanges(t, map[string]string{"weight": "3 → 4"}, e[2])
			require.Equal(t, "- → 5", change(e[3], "weight"))
		},
	}
}
