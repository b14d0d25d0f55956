package torture_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/hook"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"Case01CreateWithDefaults", case01CreateWithDefaults()},
		{"Case01EdgeIsAColumn", case01EdgeIsAColumn()},
		{"Case02DefaultsOfTheDatabase", case02DefaultsOfTheDatabase()},
		{"Case02MixedDefaultsInBulk", case02MixedDefaultsInBulk()},
		{"Case03CreateBulk", case03CreateBulk()},
		{"Case03BulkWithGivenIDs", case03BulkWithGivenIDs()},
		{"Case36LaterHookRewrites", case36LaterHookRewrites()},
	})
}

func case01CreateWithDefaults() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			c.User.Create().SetName("bob").SaveX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, ann *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, entaudit.KindMutation, e[0].Kind)
			require.Equal(t, entaudit.OpCreate, e[0].Operation)
			require.Equal(t, entaudit.Success, e[0].Outcome)
			require.Equal(t, "user.create", e[0].Action)
			require.Equal(t, entaudit.Resource{Type: "user", ID: fmt.Sprint(ann.ID + 1), Label: "bob"}, e[0].Resource)
			require.Equal(t, "acme", e[0].Tenant.ID)
			require.NotEqual(t, uuid.Nil, e[0].TxID)
			require.Empty(t, e[0].Edges)
			require.Empty(t, e[0].Marks)
			requireChanges(t, map[string]string{
				"name": `- → "bob"`, "age": "- → 0", "status": `- → "open"`, "tenant": `- → "acme"`, "version": "- → 1",
				"level": `- → "basic"`, "created_at": "*", "updated_at": "*",
			}, e[0])
		},
	}
}

func case01EdgeIsAColumn() player {
	id := uuid.New()
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, ann *ent.User) {
			c.Pet.Create().SetID(id).SetName("rex").SetOwner(ann).ExecX(t.Context())
			c.Card.Create().SetID("c-1").SetNumber("42").SetOwnerID(ann.ID).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, ann *ent.User) {
			require.Len(t, e, 2)
			require.Equal(t, entaudit.Resource{Type: "pet", ID: id.String()}, e[0].Resource)
			requireChanges(t, map[string]string{"name": `- → "rex"`, "owner": fmt.Sprintf("- → %d", ann.ID)}, e[0])
			require.Equal(t, entaudit.Resource{Type: "payment_card", ID: "c-1"}, e[1].Resource)
			requireChanges(t, map[string]string{"number": `- → "42"`, "owner_id": fmt.Sprintf("- → %d", ann.ID)}, e[1])
		},
	}
}

// requireTicket asserts that an entry of a created ticket has what the database holds.
func requireTicket(t *testing.T, b *bundle, e entaudit.Entry) {
	t.Helper()
	var id int
	_, err := fmt.Sscan(e.Resource.ID, &id)
	require.NoError(t, err)
	k := b.plain.Ticket.GetX(t.Context(), id)
	require.NotEmpty(t, k.Code)
	require.Equal(t, 7, k.Number)
	require.False(t, k.MadeAt.IsZero())
	at, err := json.Marshal(k.MadeAt.UTC())
	require.NoError(t, err)
	requireChanges(t, map[string]string{
		"title": fmt.Sprintf("- → %q", k.Title), "code": fmt.Sprintf("- → %q", k.Code), "number": "- → 7", "made_at": "- → " + string(at),
	}, e)
}

func case02DefaultsOfTheDatabase() player {
	return story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			c.Ticket.Create().SetTitle("one").ExecX(t.Context())
			c.Ticket.MapCreateBulk(make([]int, 3), func(k *ent.TicketCreate, i int) {
				k.SetTitle(fmt.Sprint("bulk ", i))
			}).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, 4)
			for i, title := range []string{"one", "bulk 0", "bulk 1", "bulk 2"} {
				requireTicket(t, b, e[i])
				c, ok := e[i].Change("title")
				require.True(t, ok)
				require.JSONEq(t, fmt.Sprintf("%q", title), string(c.New))
			}
		},
	}
}

func case02MixedDefaultsInBulk() player {
	return story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			c.User.CreateBulk(
				c.User.Create().SetName("a").SetLevel("gold").SetAge(1),
				c.User.Create().SetName("b").SetLevel("tin").SetNick("bee"),
			).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, 2)
			base := map[string]string{"status": `- → "open"`, "tenant": `- → "acme"`, "version": "- → 1", "created_at": "*", "updated_at": "*"}
			a := map[string]string{"name": `- → "a"`, "level": `- → "gold"`, "age": "- → 1"}
			z := map[string]string{"name": `- → "b"`, "level": `- → "tin"`, "age": "- → 0", "nick": `- → "bee"`}
			for k, v := range base {
				a[k], z[k] = v, v
			}
			requireChanges(t, a, e[0])
			requireChanges(t, z, e[1])
		},
	}
}

func case03CreateBulk() player {
	return story[*ent.User]{
		seed: seedUser,
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			us := c.User.MapCreateBulk(make([]int, 100), func(u *ent.UserCreate, i int) {
				u.SetName(fmt.Sprintf("u%d", i)).SetAge(i)
				if i%2 == 0 {
					u.SetNick("even")
				}
			}).SaveX(t.Context())
			require.Len(t, us, 100)
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 100)
			for i, e := range e {
				var id int
				_, err := fmt.Sscan(e.Resource.ID, &id)
				require.NoError(t, err)
				u := b.plain.User.GetX(t.Context(), id)
				require.Equal(t, u.Name, e.Resource.Label)
				want := map[string]string{
					"name": fmt.Sprintf("- → %q", u.Name), "age": fmt.Sprint("- → ", i), "status": `- → "open"`, "tenant": `- → "acme"`,
					"version": "- → 1", "level": `- → "basic"`, "created_at": "*", "updated_at": "*",
				}
				if i%2 == 0 {
					want["nick"] = `- → "even"`
				}
				requireChanges(t, want, e)
			}
		},
	}
}

func case03BulkWithGivenIDs() player {
	ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	return story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			c.Pet.MapCreateBulk(ids, func(p *ent.PetCreate, i int) { p.SetID(ids[i]).SetName(fmt.Sprint(i)) }).ExecX(t.Context())
			c.Card.MapCreateBulk(ids, func(k *ent.CardCreate, i int) { k.SetID(fmt.Sprint("id", i)).SetNumber(fmt.Sprint(i)) }).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, 6)
			for i := range ids {
				require.Equal(t, ids[i].String(), e[i].Resource.ID)
				requireChanges(t, map[string]string{"name": fmt.Sprintf(`- → "%d"`, i)}, e[i])
				require.Equal(t, fmt.Sprint("id", i), e[3+i].Resource.ID)
				requireChanges(t, map[string]string{"number": fmt.Sprintf(`- → "%d"`, i)}, e[3+i])
			}
		},
	}
}

// bulkWithConflict are 100 users of whom the 58th has an address that is taken.
func bulkWithConflict(c *ent.Client) *ent.UserCreateBulk {
	return c.User.MapCreateBulk(make([]int, 100), func(u *ent.UserCreate, i int) {
		u.SetName(fmt.Sprint(i)).SetEmail(fmt.Sprint(i, "@example.com"))
		if i == 57 {
			u.SetEmail("ann@example.com")
		}
	})
}

func TestCase04BulkWithUniqueViolation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		seedUser(t, b)
		b.oracle.forget(t)
		err := bulkWithConflict(b.client).Exec(t.Context())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		require.Equal(t, 1, b.plain.User.Query().CountX(t.Context()))
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)

		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.Group.Create().SetName("before").ExecX(t.Context())
		err = bulkWithConflict(tx.Client()).Exec(t.Context())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		if b.dialect == dialect.Postgres { // the transaction is aborted
			require.Error(t, tx.Commit())
			require.Empty(t, b.entries(t))
		} else {
			require.NoError(t, tx.Commit())
			require.Len(t, b.entries(t), 1)
		}
		require.Equal(t, 1, b.plain.User.Query().CountX(t.Context()))
		b.oracle.compare(t)
		require.Zero(t, b.db.Stats().InUse)
	})
}

func TestCase14ErrorsOnCreate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		seedUser(t, b)
		b.oracle.forget(t)
		require.True(t, ent.IsValidationError(b.client.User.Create().SetName("").Exec(t.Context())))
		require.True(t, ent.IsValidationError(b.client.User.Create().Exec(t.Context())))
		require.True(t, ent.IsConstraintError(b.client.User.Create().SetName("b").SetEmail("ann@example.com").Exec(t.Context())))
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
		require.Zero(t, b.db.Stats().InUse)
	})
}

// case36LaterHookRewrites covers a hook of the schema, which every write of a
// ticket passes through, and one that is added to the client afterwards.
func case36LaterHookRewrites() player {
	return story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			c.Ticket.Use(func(next ent.Mutator) ent.Mutator {
				return hook.TicketFunc(func(ctx context.Context, m *ent.TicketMutation) (ent.Value, error) {
					if !m.Op().Is(ent.OpDelete | ent.OpDeleteOne) {
						m.SetNumber(99)
					}
					return next.Mutate(ctx, m)
				})
			})
			k := c.Ticket.Create().SetTitle("ONE").SetNumber(1).SetCode("x").SetMadeAt(longAgo()).SaveX(t.Context())
			c.Ticket.CreateBulk(c.Ticket.Create().SetTitle("BULK").SetCode("x").SetMadeAt(longAgo())).ExecX(t.Context())
			c.Ticket.UpdateOne(k).SetTitle("TWO").SetNumber(2).ExecX(t.Context())
			c.Ticket.Update().SetTitle("ALL").SetNumber(3).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, 5)
			at := fmt.Sprintf("- → %q", "2001-02-03T04:05:06Z")
			requireChanges(t, map[string]string{"title": `- → "one"`, "number": "- → 99", "code": `- → "x"`, "made_at": at}, e[0])
			requireChanges(t, map[string]string{"title": `- → "bulk"`, "number": "- → 99", "code": `- → "x"`, "made_at": at}, e[1])
			requireChanges(t, map[string]string{"title": `"one" → "two"`}, e[2])
			all := byID(e[3:])
			requireChanges(t, map[string]string{"title": `"two" → "all"`}, all[e[0].Resource.ID])
			requireChanges(t, map[string]string{"title": `"bulk" → "all"`}, all[e[1].Resource.ID])
		},
	}
}
