package torture_test

import (
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/card"
	"github.com/entaudit/audit/internal/torture/ent/like"
)

// TestIDThatChanges: an entry names a row by its id, so that an update of the id cannot
// be recorded. It is refused and undone.
func TestIDThatChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u, v := b.client.User.Create().SetName("ann").SaveX(t.Context()), b.client.User.Create().SetName("bob").SaveX(t.Context())
		w := b.client.Tweet.Create().SetText("x").SetAuthor(u).SaveX(t.Context())
		l := b.client.Like.Create().SetUser(u).SetTweet(w).SaveX(t.Context())
		b.client.Card.Create().SetID("a").SetNumber("1").ExecX(t.Context())
		other := func(u *entsql.UpdateBuilder) { u.Set(card.FieldID, "b") }
		ops := map[string]func(c *ent.Client) error{
			"of many": func(c *ent.Client) error {
				return c.Like.Update().Where(like.UserID(u.ID)).SetUserID(v.ID).Exec(t.Context())
			},
			"of many, by modifier": func(c *ent.Client) error { return c.Card.Update().Modify(other).Exec(t.Context()) },
			"of one, by modifier":  func(c *ent.Client) error { return c.Card.UpdateOneID("a").Modify(other).Exec(t.Context()) },
			"of one":               func(c *ent.Client) error { return c.Like.UpdateOne(l).SetUserID(v.ID).Exec(t.Context()) },
		}
		for name, op := range ops {
			var refused *entaudit.UnsupportedError
			err := op(b.client)
			if !ent.IsNotFound(err) { // what ent itself says of one row
				require.ErrorAs(t, err, &refused, name)
			}
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			require.Error(t, op(tx.Client()), name)
			if err := tx.Commit(); err != nil {
				require.ErrorContains(t, err, "could not be recorded", name)
			}
			b.oracle.compare(t)
		}
		// What stays as it is can be set.
		b.client.Like.Update().SetUserID(u.ID).AddWeight(1).ExecX(t.Context())
		b.oracle.compare(t)
	})
}
