package smoke_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"compat/ent"
	"compat/ent/intercept"
	"compat/ent/user"
)

func TestIntercept(t *testing.T) {
	c, ctx := open(t), t.Context()
	c.User.Intercept(intercept.TraverseUser(func(_ context.Context, q *ent.UserQuery) error {
		q.Where(user.Name("nobody"))
		return nil
	}))
	u := c.User.Create().SetName("ann").SaveX(ctx)
	require.Zero(t, c.User.Query().CountX(ctx))
	c.User.Update().SetAge(3).ExecX(ctx)
	c.User.DeleteOne(u).ExecX(ctx)
	require.Equal(t, map[string]int{"account.create": 1, "account.update": 1, "account.delete": 1}, entries(t, c))
}
