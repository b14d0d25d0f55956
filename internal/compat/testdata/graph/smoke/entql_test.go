package smoke_test

import (
	"context"
	"testing"

	"entgo.io/ent/entql"
	"github.com/stretchr/testify/require"

	"compat/ent"
)

func TestEntQL(t *testing.T) {
	c, ctx := open(t), t.Context()
	c.User.CreateBulk(c.User.Create().SetName("ann"), c.User.Create().SetName("bob")).ExecX(ctx)
	c.User.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			m.(*ent.UserMutation).Filter().WhereName(entql.StringEQ("ann"))
			return next.Mutate(ctx, m)
		})
	})
	require.Equal(t, 1, c.User.Update().SetAge(2).SaveX(ctx))
	require.Equal(t, 1, c.User.Delete().ExecX(ctx))
	require.Equal(t, map[string]int{"account.create": 2, "account.update": 1, "account.delete": 1}, entries(t, c))
}
