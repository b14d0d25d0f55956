package torture_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// family are users: ann and bob are friends and married, cid is their child.
type family struct{ ann, bob, cid, dan *ent.User }

func seedFamily(t *testing.T, b *bundle) family {
	t.Helper()
	c := b.plain
	ann := oldUser(c, "ann").SaveX(t.Context())
	bob := oldUser(c, "bob").AddFriends(ann).SetSpouse(ann).SaveX(t.Context())
	cid := oldUser(c, "cid").SetParent(ann).AddFollowers(bob).SaveX(t.Context())
	return family{ann: ann, bob: bob, cid: cid, dan: oldUser(c, "dan").SaveX(t.Context())}
}

func TestEdgesToOneself(t *testing.T) {
	t.Parallel()
	in := func(do func(*testing.T, *ent.Client, family), want func(family) []string) player {
		return edgeStory(seedFamily, do, want)
	}
	perform(t, entaudit.Config{}, []scene{
		{"Case24AddFriends", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.ann).AddFriends(f.bob, f.cid).ExecX(t.Context())
		}, func(f family) []string {
			return []string{
				line("user.update %d: friends +%d", f.ann.ID, f.cid.ID),
				line("user.update %d: friends +%d < user %d", f.cid.ID, f.ann.ID, f.ann.ID),
			}
		})},
		{"Case24Clear", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.ann).ClearFriends().ExecX(t.Context())
		}, func(f family) []string {
			return []string{
				line("user.update %d: friends -%d", f.ann.ID, f.bob.ID),
				line("user.update %d: friends -%d < user %d", f.bob.ID, f.ann.ID, f.ann.ID),
			}
		})},
		{"Case24ClearOfBoth", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.Update().Where(user.NameIn("ann", "bob")).ClearFriends().AddFriends(f.dan).ExecX(t.Context())
		}, nil)},
		{"Case24WithOneself", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.ann).AddFriends(f.ann).ExecX(t.Context())
		}, func(f family) []string {
			return []string{line("user.update %d: friends +%d", f.ann.ID, f.ann.ID)}
		})},
		{"Case24OnCreate", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.Create().SetName("eve").AddFriends(f.ann).AddFollowing(f.bob).SetParent(f.dan).SetSpouse(f.cid).ExecX(t.Context())
			c.User.CreateBulk(
				oldUser(c, "fay").AddFriends(f.ann).AddChildren(f.ann), oldUser(c, "gus").AddFriends(f.ann, f.bob).SetSpouse(f.dan),
			).ExecX(t.Context())
		}, nil)},
		{"Case21FollowingAndFollowers", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.cid).AddFollowing(f.dan).ClearFollowers().AddFollowers(f.ann).ExecX(t.Context())
			c.User.Update().Where(user.Name("cid")).ClearFollowing().ClearFollowers().ExecX(t.Context())
		}, func(f family) []string {
			return []string{
				line("user.update %d: followers -%d +%d; following +%d", f.cid.ID, f.bob.ID, f.ann.ID, f.dan.ID),
				line("user.update %d: following -%d < user %d", f.bob.ID, f.cid.ID, f.cid.ID),
				line("user.update %d: following +%d < user %d", f.ann.ID, f.cid.ID, f.cid.ID),
				line("user.update %d: followers +%d < user %d", f.dan.ID, f.cid.ID, f.cid.ID),
				line("user.update %d: followers -%d; following -%d", f.cid.ID, f.ann.ID, f.dan.ID),
				line("user.update %d: following -%d < user %d", f.ann.ID, f.cid.ID, f.cid.ID),
				line("user.update %d: followers -%d < user %d", f.dan.ID, f.cid.ID, f.cid.ID),
			}
		})},
		{"Case26Spouse", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.ann).ClearSpouse().SetSpouse(f.dan).ExecX(t.Context())
		}, func(f family) []string {
			return []string{
				line("user.update %d: spouse %d → %d; spouse -%d +%d", f.ann.ID, f.bob.ID, f.dan.ID, f.bob.ID, f.dan.ID),
				line("user.update %d: spouse %d → null < user %d", f.bob.ID, f.ann.ID, f.ann.ID),
				line("user.update %d: spouse null → %d < user %d", f.dan.ID, f.ann.ID, f.ann.ID),
			}
		})},
		{"Case26SpouseCleared", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.Update().ClearSpouse().ExecX(t.Context())
			c.User.UpdateOne(f.ann).SetSpouse(f.bob).ExecX(t.Context())
			c.User.UpdateOne(f.bob).ClearSpouse().ExecX(t.Context())
		}, nil)},
		{"Case25Children", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.ann).ClearChildren().AddChildren(f.bob).ExecX(t.Context())
			// Both are rows of the mutation's own.
			c.User.Update().ClearChildren().AddAge(1).SetUpdatedAt(longAgo()).ExecX(t.Context())
			c.User.Update().Where(user.NameIn("bob", "cid")).ClearChildren().SetParent(f.bob).ExecX(t.Context())
		}, nil)},
		{"Case25ChildOfItself", in(func(t *testing.T, c *ent.Client, f family) {
			c.User.UpdateOne(f.dan).AddChildren(f.dan).SetNick("d").ExecX(t.Context())
			c.User.UpdateOne(f.dan).ClearChildren().SetNick("e").ExecX(t.Context())
		}, func(f family) []string {
			return []string{
				line(`user.update %d: nick null → "d"; parent null → %d; children +%d`, f.dan.ID, f.dan.ID, f.dan.ID),
				line(`user.update %d: nick "d" → "e"; parent %d → null; children -%d`, f.dan.ID, f.dan.ID, f.dan.ID),
			}
		})},
		{"Case25Folders", folders()},
	})
}

// folders are moved by a statement for their own column and one for that of others, of
// which each undoes some of the other.
func folders() player {
	return story[[]*ent.Folder]{
		seed: func(t *testing.T, b *bundle) []*ent.Folder {
			return b.plain.Folder.MapCreateBulk([]string{"a", "b", "c"}, func(f *ent.FolderCreate, i int) {
				f.SetName([]string{"a", "b", "c"}[i])
			}).SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, f []*ent.Folder) {
			c.Folder.Update().SetParent(f[2]).ClearChildren().ExecX(t.Context())
			c.Folder.UpdateOne(f[1]).SetParent(f[0]).AddChildren(f[2]).ExecX(t.Context())
			c.Folder.Update().SetParent(f[0]).SetName("x").ExecX(t.Context())
			c.Folder.Update().SetName("y").ClearChildren().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, f []*ent.Folder) {
			// The first one set all keys and cleared them again.
			require.ElementsMatch(t, []string{
				line("folder.update %d: parent_id null → %d; children +%d", f[1].ID, f[0].ID, f[2].ID),
				line("folder.update %d: parent_id null → %d < folder %d", f[2].ID, f[1].ID, f[1].ID),
			}, summary(e)[:2])
			require.Zero(t, b.plain.Folder.Query().QueryParent().CountX(t.Context()))
		},
	}
}
