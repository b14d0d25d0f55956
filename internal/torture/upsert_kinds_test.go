package torture_test

import (
	"context"
	"fmt"
	"testing"

	entgo "entgo.io/ent"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/account"
	"github.com/entaudit/audit/internal/torture/ent/blob"
	"github.com/entaudit/audit/internal/torture/ent/card"
	counters "github.com/entaudit/audit/internal/torture/ent/counter"
	"github.com/entaudit/audit/internal/torture/ent/coupon"
	"github.com/entaudit/audit/internal/torture/ent/user"
	"github.com/entaudit/audit/internal/torture/gotype"
)

func TestUpsertKinds(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case30 id of text", case30Card()},
		{"Case30 id of bytes", case30Blob()},
		{"Case30 id in another form", case30Coupon()},
		{"Case30 key that is an edge", case30EdgeKey()},
		{"Case30 many", case30Many()},
		{"Case30 row left out on purpose", case30Skipped()},
		{"Case30 secret", case30Secret()},
	})
}

func operations(e []entaudit.Entry) (ops []entaudit.Operation) {
	for _, e := range e {
		ops = append(ops, e.Operation)
	}
	return ops
}

func case30Card() player {
	return story[*ent.Card]{
		seed: seedCard,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Card) {
			for _, id := range []string{"k", "l"} {
				c.Card.Create().SetID(id).SetNumber("2").OnConflictColumns(card.FieldID).UpdateNewValues().ExecX(t.Context())
			}
			c.Card.CreateBulk(c.Card.Create().SetID("m").SetNumber("3"), c.Card.Create().SetID("k").SetNumber("3")).
				OnConflictColumns(card.FieldID).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Card) {
			require.Equal(t, []entaudit.Operation{entaudit.OpUpdate, entaudit.OpCreate, entaudit.OpCreate, entaudit.OpUpdate}, operations(e))
			requireChanges(t, map[string]string{"number": `"1" → "2"`}, e[0])
			require.Equal(t, "l", e[1].Resource.ID)
			requireChanges(t, map[string]string{"number": `"2" → "3"`}, e[3])
		},
	}
}

func case30Blob() player {
	return story[gotype.Key]{
		seed: func(t *testing.T, b *bundle) gotype.Key {
			return b.plain.Blob.Create().SetName("a").SaveX(t.Context()).ID
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, id gotype.Key) {
			c.Blob.Create().SetID(id).SetName("b").OnConflictColumns(blob.FieldID).UpdateNewValues().ExecX(t.Context())
			c.Blob.CreateBulk(c.Blob.Create().SetName("new"), c.Blob.Create().SetID(id).SetName("c")).
				OnConflictColumns(blob.FieldID).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ gotype.Key) {
			require.Equal(t, []entaudit.Operation{entaudit.OpUpdate, entaudit.OpCreate, entaudit.OpUpdate}, operations(e))
			require.Equal(t, e[0].Resource.ID, e[2].Resource.ID)
			requireChanges(t, map[string]string{"name": `"b" → "c"`}, e[2])
		},
	}
}

func case30Coupon() player {
	return story[gotype.Code]{
		seed: func(t *testing.T, b *bundle) gotype.Code {
			return b.plain.Coupon.Create().SetID("spring").SaveX(t.Context()).ID
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, id gotype.Code) {
			c.Coupon.Create().SetID(id).SetPercent(20).OnConflictColumns(coupon.FieldID).UpdateNewValues().ExecX(t.Context())
			c.Coupon.CreateBulk(c.Coupon.Create().SetID("autumn"), c.Coupon.Create().SetID(id).SetPercent(30)).
				OnConflictColumns(coupon.FieldID).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ gotype.Code) {
			require.Equal(t, []entaudit.Operation{entaudit.OpUpdate, entaudit.OpCreate, entaudit.OpUpdate}, operations(e))
			requireChanges(t, map[string]string{"percent": "10 → 20"}, e[0])
			requireChanges(t, map[string]string{"percent": "20 → 30"}, e[2])
		},
	}
}

// case30EdgeKey: a foreign key of an edge that is unique is a key as well.
func case30EdgeKey() player {
	return story[*ent.User]{
		seed: func(t *testing.T, b *bundle) *ent.User {
			ann := seedUser(t, b)
			b.plain.Card.Create().SetID("k").SetNumber("1").SetOwner(ann).ExecX(t.Context())
			return ann
		},
		do: func(t *testing.T, b *bundle, c *ent.Client, ann *ent.User) {
			c.Card.Create().SetID("other").SetNumber("2").SetOwner(ann).OnConflictColumns(card.FieldOwnerID).
				Update(func(u *ent.CardUpsert) { u.UpdateNumber() }).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, "k", e[0].Resource.ID)
			requireChanges(t, map[string]string{"number": `"1" → "2"`}, e[0])
		},
	}
}

// case30Many is more than one query looks for.
func case30Many() player {
	const n = 600
	upsert := func(t *testing.T, c *ent.Client, from, hits int) {
		t.Helper()
		c.Counter.MapCreateBulk(make([]int, n), func(k *ent.CounterCreate, i int) {
			k.SetName(fmt.Sprint(from + i)).SetHits(hits)
		}).OnConflictColumns(counters.FieldName).UpdateNewValues().ExecX(t.Context())
	}
	return story[int]{
		seed: func(t *testing.T, b *bundle) int {
			upsert(t, b.plain, 0, 1)
			return 0
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) { upsert(t, c, n/2, 2) },
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, n)
			created := 0
			for _, e := range e {
				if e.Operation == entaudit.OpCreate {
					created++
				}
			}
			require.Equal(t, n/2, created)
		},
	}
}

// case30Skipped leaves out the rows of a bulk that a hook asks to be left out.
func case30Skipped() player {
	return story[*ent.Account]{
		quiet: true,
		seed:  seedAccount,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Account) {
			c.Account.Use(func(next ent.Mutator) ent.Mutator {
				return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (entgo.Value, error) {
					if nick, _ := m.Field(account.FieldNick); nick == "skip" {
						ctx = entaudit.Skip(ctx, "import")
					}
					return next.Mutate(ctx, m)
				})
			})
			c.Account.CreateBulk(
				c.Account.Create().SetTenant("acme").SetCode("new"),
				c.Account.Create().SetTenant("acme").SetCode("a").SetNick("skip"),
				c.Account.Create().SetTenant("acme").SetCode("b").SetNick("skip"),
			).OnConflictColumns(account.FieldTenant, account.FieldCode).UpdateNewValues().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Account) {
			require.Equal(t, []entaudit.Operation{entaudit.OpCreate, entaudit.OpSkip, entaudit.OpSkip}, operations(e))
			require.Equal(t, "new", e[0].Resource.Label)
			require.Equal(t, "update", e[1].Metadata["skipped"])
			require.Equal(t, "create", e[2].Metadata["skipped"])
		},
	}
}

func case30Secret() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, b *bundle, c *ent.Client, _ *ent.User) {
			c.User.Create().SetName("proposed").SetEmail("ann@example.com").SetPassword("first").
				OnConflictColumns(user.FieldEmail).Update(func(u *ent.UserUpsert) { u.UpdatePassword() }).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 1)
			requireChanges(t, map[string]string{"password": `null → "[REDACTED]"`}, e[0])
		},
	}
}
