package torture_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func case19LinksOfADeletedRow() player {
	return story[[]*ent.User]{
		seed: func(t *testing.T, b *bundle) []*ent.User {
			u := []*ent.User{seedUser(t, b), oldUser(b.plain, "bob").SetTenant("b").SaveX(t.Context())}
			b.plain.Group.Create().SetName("one").AddUsers(u...).ExecX(t.Context())
			b.plain.Group.Create().SetName("two").AddUsers(u[0]).ExecX(t.Context())
			return u
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, u []*ent.User) {
			c.Group.Delete().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, u []*ent.User) {
			require.Len(t, e, 4)
			ids := []string{e[0].Resource.ID, e[1].Resource.ID}
			require.Equal(t, "group.delete", e[0].Action)
			ann, bob := byID(e[2:])[fmt.Sprint(u[0].ID)], byID(e[2:])[fmt.Sprint(u[1].ID)]
			require.Equal(t, "groups", ann.Edges[0].Edge)
			require.ElementsMatch(t, ids, ann.Edges[0].Removed)
			require.Equal(t, entaudit.OpUpdate, bob.Operation)
			require.Empty(t, bob.Changes)
			require.Equal(t, entaudit.Tenant{ID: "b"}, bob.Tenant)
			require.Equal(t, "bob", bob.Resource.Label)
		},
	}
}

func case19FriendsOfADeletedRow() player {
	return story[household]{
		seed: func(t *testing.T, b *bundle) household {
			h := seedHousehold(t, b)
			b.plain.User.UpdateOne(h.ann).AddFriends(h.bob, h.kid).AddFollowing(h.bob).ExecX(t.Context())
			b.plain.User.UpdateOne(h.bob).AddFriends(h.kid).ExecX(t.Context())
			return h
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, h household) {
			c.User.Delete().Where(user.NameIn("ann", "bob")).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, h household) {
			rows := byID(e)
			ann, bob, kid := fmt.Sprint(h.ann.ID), fmt.Sprint(h.bob.ID), fmt.Sprint(h.kid.ID)
			removed := func(id, edge string) (ids []string) {
				for _, c := range rows[id].Edges {
					if c.Edge == edge {
						require.Empty(t, c.Added)
						ids = c.Removed
					}
				}
				return ids
			}
			require.ElementsMatch(t, []string{bob, kid}, removed(ann, "friends"))
			require.ElementsMatch(t, []string{ann, kid}, removed(bob, "friends"))
			require.ElementsMatch(t, []string{ann, bob}, removed(kid, "friends"))
			require.Equal(t, []string{bob}, removed(ann, "following"))
			require.Equal(t, []string{ann}, removed(bob, "followers"))
			require.Equal(t, entaudit.OpUpdate, rows[kid].Operation)
			requireChanges(t, map[string]string{"parent": ann + " → null"}, rows[kid])
		},
	}
}

func case19LinksThatAreATypeGoAlong() player {
	return story[*ent.User]{
		seed: func(t *testing.T, b *bundle) *ent.User {
			u := seedUser(t, b)
			w := b.plain.Tweet.Create().SetID(1).SetText("t").SetAuthor(u).SaveX(t.Context())
			g := b.plain.Tag.Create().SetID(7).SetName("g").SaveX(t.Context())
			b.plain.TweetTag.Create().SetTweet(w).SetTag(g).SetNote("n").ExecX(t.Context())
			b.plain.Like.Create().SetUser(u).SetTweet(w).SetWeight(3).ExecX(t.Context())
			return u
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			c.Tweet.DeleteOneID(1).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, u *ent.User) {
			require.Len(t, e, 3, "no entry for the tag and the user, whose rows and links' rows have their own")
			require.ElementsMatch(t, []entaudit.EdgeChange{
				{Edge: "tags", Removed: []string{"7"}}, {Edge: "liked_by", Removed: []string{fmt.Sprint(u.ID)}},
			}, e[0].Edges)
			like := byID(e)[fmt.Sprintf(`["%d","1"]`, u.ID)]
			require.Equal(t, e[0].ID, like.CauseID)
			require.Equal(t, "like.delete", like.Action)
			require.Equal(t, "3 → -", change(like, "weight"))
		},
	}
}

func case29DeleteOfLinks() player {
	return story[*ent.User]{
		seed: func(t *testing.T, b *bundle) *ent.User {
			u := seedUser(t, b)
			w := b.plain.Tweet.Create().SetID(1).SetText("t").SetAuthor(u).SaveX(t.Context())
			b.plain.Like.Create().SetUser(u).SetTweet(w).SetWeight(3).ExecX(t.Context())
			return u
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			require.Equal(t, 1, c.Like.Delete().ExecX(t.Context()))
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, u *ent.User) {
			require.Len(t, e, 1)
			require.Equal(t, fmt.Sprintf(`["%d","1"]`, u.ID), e[0].Resource.ID)
			requireChanges(t, map[string]string{
				"weight": "3 → -", "liked_at": "*", "user_id": fmt.Sprintf("%d → -", u.ID), "tweet_id": "1 → -",
			}, e[0])
		},
	}
}
