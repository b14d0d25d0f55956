package torture_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/tag"
	"github.com/entaudit/audit/internal/torture/ent/tweet"
	"github.com/entaudit/audit/internal/torture/ent/tweettag"
)

// tweets are two tweets and two tags: the first tweet has the first tag, and its author
// likes it.
type tweets struct {
	ann  *ent.User
	a, b *ent.Tweet
	x, y *ent.Tag
	ax   *ent.TweetTag
}

func seedTweets(t *testing.T, b *bundle) tweets {
	t.Helper()
	c := b.plain
	s := tweets{ann: oldUser(c, "ann").SaveX(t.Context())}
	s.a = c.Tweet.Create().SetText("a").SetAuthor(s.ann).SaveX(t.Context())
	s.b = c.Tweet.Create().SetText("b").SetAuthor(s.ann).SaveX(t.Context())
	s.x = c.Tag.Create().SetName("x").SaveX(t.Context())
	s.y = c.Tag.Create().SetName("y").SaveX(t.Context())
	s.ax = c.TweetTag.Create().SetTweet(s.a).SetTag(s.x).SaveX(t.Context())
	c.Like.Create().SetUser(s.ann).SetTweet(s.a).SetWeight(7).SetLikedAt(longAgo()).ExecX(t.Context())
	return s
}

// linkOf returns the id of the link of a tweet and a tag.
func linkOf(t *testing.T, b *bundle, w *ent.Tweet, x *ent.Tag) uuid.UUID {
	t.Helper()
	return b.plain.TweetTag.Query().Where(tweettag.TweetID(w.ID), tweettag.TagID(x.ID)).OnlyIDX(t.Context())
}

func TestEdgesOfTypes(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{
		{"what goes with a link that is removed", story[tweets]{
			seed: func(t *testing.T, b *bundle) tweets {
				s := seedTweets(t, b)
				b.plain.Remark.Create().SetText("true").SetLink(s.ax).ExecX(t.Context())
				b.plain.Remark.Create().SetText("else").SetLink(
					b.plain.TweetTag.Create().SetTweet(s.b).SetTag(s.x).SaveX(t.Context()),
				).ExecX(t.Context())
				return s
			},
			do: func(t *testing.T, _ *bundle, c *ent.Client, s tweets) {
				c.Tweet.UpdateOne(s.a).ClearTags().ExecX(t.Context())
			},
			check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tweets) {
				require.Len(t, e, 3)
				require.Equal(t, "remark.delete", e[2].Action)
				require.Equal(t, e[1].ID, e[2].CauseID, "it went with the link")
				requireChanges(t, map[string]string{"text": `"true" → -`, "link_id": "*"}, e[2])
			},
		}},
		{"Case28AddTags", story[tweets]{
			seed: seedTweets,
			do: func(t *testing.T, _ *bundle, c *ent.Client, s tweets) {
				c.Tweet.UpdateOne(s.a).AddTags(s.y).ExecX(t.Context())
			},
			check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tweets) {
				id := linkOf(t, b, s.a, s.y)
				require.Equal(t, []string{
					line("tweet.update %d: tags +%d", s.a.ID, s.y.ID), line("tweet_tag.create %s:  < tweet %d", id, s.a.ID),
				}, summary(e))
				requireChanges(t, map[string]string{
					"tweet_id": line("- → %d", s.a.ID), "tag_id": line("- → %d", s.y.ID), "note": `- → "new"`, "added_at": "*",
				}, e[1])
			},
		}},
		{"Case28FromTheOtherSide", story[tweets]{
			seed: seedTweets,
			do: func(t *testing.T, _ *bundle, c *ent.Client, s tweets) {
				c.Tag.UpdateOne(s.y).AddTweets(s.b).SetName("z").ExecX(t.Context())
				c.Tag.Create().SetName("new").AddTweets(s.a).ExecX(t.Context())
				c.Tag.CreateBulk(c.Tag.Create().SetName("1").AddTweets(s.a), c.Tag.Create().SetName("2").AddTweets(s.b)).ExecX(t.Context())
			},
			check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tweets) {
				require.Equal(t, []string{
					line(`tag.update %d: name "y" → "z"; tweets +%d`, s.y.ID, s.b.ID),
					line("tweet_tag.create %s:  < tag %d", linkOf(t, b, s.b, s.y), s.y.ID),
				}, summary(e)[:2])
				require.Len(t, e, 8)
			},
		}},
		{"Case28Many", story[tweets]{
			seed: seedTweets,
			do: func(t *testing.T, _ *bundle, c *ent.Client, s tweets) {
				c.User.Update().AddLikes(s.b).SetUpdatedAt(longAgo()).ExecX(t.Context())
				c.Tweet.Update().Where(tweet.Text("b")).ClearLikedBy().ClearTags().ExecX(t.Context())
				c.Tag.Update().ClearTweets().Where(tag.Name("x")).ExecX(t.Context())
			},
			check: func(t *testing.T, _ *bundle, e []entaudit.Entry, s tweets) {
				like := line(`["%d","%d"]`, s.ann.ID, s.b.ID)
				require.Equal(t, []string{
					line("user.update %d: likes +%d", s.ann.ID, s.b.ID),
					line("like.create %s:  < user %d", like, s.ann.ID),
					line("tweet.update %d: liked_by -%d", s.b.ID, s.ann.ID),
					line("like.delete %s: weight 1 → -; liked_at * → -; user_id %d → -; tweet_id %d → - < tweet %d", like, s.ann.ID, s.b.ID, s.b.ID),
					line("tag.update %d: tweets -%d", s.x.ID, s.a.ID),
					line(`tweet_tag.delete %s: tweet_id %d → -; tag_id %d → -; added_at * → -; note "new" → - < tag %d`, s.ax.ID, s.a.ID, s.x.ID, s.x.ID),
				}, summary(e))
			},
		}},
		{"Case28ClearAndAdd", story[tweets]{
			seed: seedTweets,
			do: func(t *testing.T, _ *bundle, c *ent.Client, s tweets) {
				// The row of the link is another one, and its links are what they were.
				c.Tweet.UpdateOne(s.a).ClearTags().AddTags(s.x).ExecX(t.Context())
				// The row is the same, with other values.
				c.User.UpdateOne(s.ann).ClearLikes().AddLikes(s.a).SetUpdatedAt(longAgo()).ExecX(t.Context())
			},
			check: func(t *testing.T, b *bundle, e []entaudit.Entry, s tweets) {
				require.ElementsMatch(t, []string{
					line(`tweet_tag.delete %s: tweet_id %d → -; tag_id %d → -; added_at * → -; note "new" → -`, s.ax.ID, s.a.ID, s.x.ID),
					line("tweet_tag.create %s: ", linkOf(t, b, s.a, s.x)),
					line(`like.update ["%d","%d"]: weight 7 → 1; liked_at * → *`, s.ann.ID, s.a.ID),
				}, summary(e))
			},
		}},
	})
}
