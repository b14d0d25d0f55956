package torture_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/group"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// summary renders entries as "action id: field old → new; edge +added -removed < resource
// and id of the cause". The time of an update is left out, and other times are "*".
func summary(entries []entaudit.Entry) []string {
	lines := make([]string, len(entries))
	for i, e := range entries {
		slices.SortFunc(e.Edges, func(a, b entaudit.EdgeChange) int { return cmp.Compare(a.Edge, b.Edge) })
		var parts []string
		for _, c := range e.Changes {
			if c.Field != "updated_at" && e.Operation != entaudit.OpCreate {
				text := side(c.Old) + " → " + side(c.New)
				if strings.HasSuffix(c.Field, "_at") {
					text = aTime.ReplaceAllString(text, "*")
				}
				parts = append(parts, c.Field+" "+text)
			}
		}
		for _, c := range e.Edges {
			parts = append(parts, c.Edge+signed(" -", c.Removed)+signed(" +", c.Added))
		}
		lines[i] = e.Action + " " + e.Resource.ID + ": " + strings.Join(parts, "; ")
		for _, o := range entries {
			if o.ID == e.CauseID {
				lines[i] += " < " + o.Resource.Type + " " + o.Resource.ID
			}
		}
	}
	return lines
}

var aTime = regexp.MustCompile(`"[^"]+"`)

func signed(sign string, ids []string) (text string) {
	longer := func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
	for _, id := range slices.SortedFunc(slices.Values(ids), longer) {
		text += sign + id
	}
	return text
}

// people are users and groups that are linked: ann with g and h, bob with h.
type people struct {
	ann, bob, cid *ent.User
	g, h, i       *ent.Group
}

func seedPeople(t *testing.T, b *bundle) people {
	t.Helper()
	c := b.plain
	groups := c.Group.MapCreateBulk([]string{"g", "h", "i"}, func(g *ent.GroupCreate, i int) { g.SetName("ghi"[i : i+1]) }).SaveX(t.Context())
	p := people{g: groups[0], h: groups[1], i: groups[2]}
	p.ann = oldUser(c, "ann").AddGroups(p.g, p.h).SaveX(t.Context())
	p.bob = oldUser(c, "bob").AddGroups(p.h).SaveX(t.Context())
	p.cid = oldUser(c, "cid").SetTenant("other").SaveX(t.Context())
	return p
}

// edgeStory is a story whose entries are as want says, if it is not nil.
func edgeStory[T any](seed func(*testing.T, *bundle) T, do func(t *testing.T, c *ent.Client, s T), want func(s T) []string) player {
	return story[T]{
		seed: seed,
		do:   func(t *testing.T, _ *bundle, c *ent.Client, s T) { do(t, c, s) },
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, s T) {
			if want != nil {
				require.ElementsMatch(t, want(s), summary(e))
			}
		},
	}
}

func line(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func TestEdgesOfTables(t *testing.T) {
	t.Parallel()
	linked := func(do func(*testing.T, *ent.Client, people), want func(people) []string) player {
		return edgeStory(seedPeople, do, want)
	}
	perform(t, entaudit.Config{}, []scene{
		{"Case21AddGroups", linked(func(t *testing.T, c *ent.Client, p people) {
			c.User.UpdateOne(p.ann).AddGroups(p.i).SetAge(3).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("user.update %d: age 0 → 3; groups +%d", p.ann.ID, p.i.ID),
				line("group.update %d: users +%d < user %d", p.i.ID, p.ann.ID, p.ann.ID),
			}
		})},
		{"Case21OnCreate", linked(func(t *testing.T, c *ent.Client, p people) {
			u := c.User.Create().SetName("dan").AddGroups(p.g, p.h).SaveX(t.Context())
			require.Equal(t, 2, u.QueryGroups().CountX(t.Context()))
		}, nil)},
		{"Case21OnCreateBulk", linked(func(t *testing.T, c *ent.Client, p people) {
			c.User.CreateBulk(
				oldUser(c, "dan").AddGroups(p.g, p.h), oldUser(c, "eve"), oldUser(c, "fay").AddGroups(p.h),
			).ExecX(t.Context())
		}, nil)},
		{"Case21FromTheOtherSide", linked(func(t *testing.T, c *ent.Client, p people) {
			c.Group.UpdateOne(p.g).AddUsers(p.bob).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("group.update %d: users +%d", p.g.ID, p.bob.ID),
				line("user.update %d: groups +%d < group %d", p.bob.ID, p.g.ID, p.g.ID),
			}
		})},
		{"Case21Many", linked(func(t *testing.T, c *ent.Client, p people) {
			require.Equal(t, 3, c.User.Update().AddGroups(p.g).SetUpdatedAt(longAgo()).SaveX(t.Context()))
		}, func(p people) []string {
			return []string{
				line("user.update %d: groups +%d", p.bob.ID, p.g.ID),
				line("user.update %d: groups +%d", p.cid.ID, p.g.ID),
				line("group.update %d: users +%d +%d < user %d", p.g.ID, p.bob.ID, p.cid.ID, p.bob.ID),
			}
		})},
		{"Case22LinkThatIsThere", linked(func(t *testing.T, c *ent.Client, p people) {
			c.Group.UpdateOne(p.g).AddUsers(p.ann).ExecX(t.Context())
			c.Group.UpdateOne(p.h).AddUsers(p.ann, p.bob).ExecX(t.Context())
			c.Group.UpdateOne(p.h).AddUsers(p.ann, p.cid, p.bob).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("group.update %d: users +%d", p.h.ID, p.cid.ID),
				line("user.update %d: groups +%d < group %d", p.cid.ID, p.h.ID, p.h.ID),
			}
		})},
		{"Case23ClearGroups", linked(func(t *testing.T, c *ent.Client, p people) {
			c.User.UpdateOne(p.ann).ClearGroups().ExecX(t.Context())
			c.User.UpdateOne(p.cid).ClearGroups().SetUpdatedAt(longAgo()).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("user.update %d: groups -%d -%d", p.ann.ID, p.g.ID, p.h.ID),
				line("group.update %d: users -%d < user %d", p.g.ID, p.ann.ID, p.ann.ID),
				line("group.update %d: users -%d < user %d", p.h.ID, p.ann.ID, p.ann.ID),
			}
		})},
		{"Case23RemoveGroups", linked(func(t *testing.T, c *ent.Client, p people) {
			c.Group.UpdateOne(p.h).RemoveUsers(p.bob, p.cid).AddUsers(p.cid).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("group.update %d: users -%d +%d", p.h.ID, p.bob.ID, p.cid.ID),
				line("user.update %d: groups -%d < group %d", p.bob.ID, p.h.ID, p.h.ID),
				line("user.update %d: groups +%d < group %d", p.cid.ID, p.h.ID, p.h.ID),
			}
		})},
		{"Case23Many", linked(func(t *testing.T, c *ent.Client, _ people) {
			require.Equal(t, 2, c.Group.Update().Where(group.NameIn("g", "h")).ClearUsers().SetName("x").SaveX(t.Context()))
		}, func(p people) []string {
			return []string{
				line(`group.update %d: name "g" → "x"; users -%d`, p.g.ID, p.ann.ID),
				line(`group.update %d: name "h" → "x"; users -%d -%d`, p.h.ID, p.ann.ID, p.bob.ID),
				line("user.update %d: groups -%d -%d < group %d", p.ann.ID, p.g.ID, p.h.ID, p.g.ID),
				line("user.update %d: groups -%d < group %d", p.bob.ID, p.h.ID, p.h.ID),
			}
		})},
		{"Case23ClearAndAddTheSame", linked(func(t *testing.T, c *ent.Client, p people) {
			c.Group.UpdateOne(p.h).ClearUsers().AddUsers(p.ann, p.bob).ExecX(t.Context())
			c.Group.UpdateOne(p.h).ClearUsers().AddUsers(p.ann, p.cid).ExecX(t.Context())
		}, func(p people) []string {
			return []string{
				line("group.update %d: users -%d +%d", p.h.ID, p.bob.ID, p.cid.ID),
				line("user.update %d: groups -%d < group %d", p.bob.ID, p.h.ID, p.h.ID),
				line("user.update %d: groups +%d < group %d", p.cid.ID, p.h.ID, p.h.ID),
			}
		})},
		{"Case23NoneMatches", linked(func(t *testing.T, c *ent.Client, p people) {
			require.Zero(t, c.Group.Update().Where(group.Name("nope")).ClearUsers().AddUsers(p.ann).SaveX(t.Context()))
		}, func(people) []string { return []string{} })},
		{"Case77TenantOfTheOtherEnd", tenantOfTheOtherEnd()},
	})
}

// tenantOfTheOtherEnd has each entry carry the tenant and label of its own row.
func tenantOfTheOtherEnd() player {
	return story[people]{
		seed: seedPeople,
		do: func(t *testing.T, _ *bundle, c *ent.Client, p people) {
			c.Group.UpdateOne(p.i).AddUsers(p.ann, p.cid).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ people) {
			require.Len(t, e, 3)
			tenants := make(map[string]string)
			for _, e := range e {
				tenants[e.Resource.Type+" "+e.Resource.Label] = e.Tenant.ID
			}
			require.Equal(t, map[string]string{"group ": "", "user ann": "acme", "user cid": "other"}, tenants)
		},
	}
}

// TestPredicateThatIsNotAsked: ent does not ask the predicate of an update by id that
// writes nothing but other tables.
func TestPredicateThatIsNotAsked(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		u := c.User.Create().SetName("ann").SaveX(t.Context())
		m := c.Group.Create().SetName("g").AddUsers(u).SaveX(t.Context())
		require.NoError(t, c.Group.UpdateOne(m).Where(group.Name("nope")).ClearUsers().Exec(t.Context()))
		require.Zero(t, c.Group.QueryUsers(m).CountX(t.Context()), "ent has cleared the edge")
		t.Cleanup(func() {
			e := b.entries(t)
			require.Equal(t, line("group.update %d: users -%d", m.ID, u.ID), summary(e)[len(e)-2])
		})
	})
}

// TestSkippedOwners: the links of rows that are left out on purpose are, too.
func TestSkippedOwners(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		p := b.plain.Pet.Create().SetName("rex").SaveX(t.Context())
		b.client.User.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if name, _ := m.(*ent.UserMutation).Name(); name == "secret" {
					ctx = entaudit.Skip(ctx, "import")
				}
				return next.Mutate(ctx, m)
			})
		})
		us := b.client.User.CreateBulk(
			b.client.User.Create().SetName("secret").AddGroups(g).AddPets(p), b.client.User.Create().SetName("ann").AddGroups(g),
		).SaveX(t.Context())
		require.Len(t, us, 2)
		require.Equal(t, []string{
			"user.skip : ", line("user.create %d: groups +%d", us[1].ID, g.ID), line("group.update %d: users +%d < user %d", g.ID, us[1].ID, us[1].ID),
		}, summary(b.entries(t)))
		require.Equal(t, 1, b.plain.User.Query().Where(user.HasPets()).CountX(t.Context()))
	})
}
