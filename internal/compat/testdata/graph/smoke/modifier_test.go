package smoke_test

import (
	"testing"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
)

func TestModifier(t *testing.T) {
	c, ctx := open(t), t.Context()
	u := c.User.Create().SetName("ann").SetAge(4).SaveX(ctx)
	u.Update().Modify(func(b *sql.UpdateBuilder) { b.Set("age", sql.Expr("age * 2")) }).ExecX(ctx)
	require.Equal(t, "4 → 8", last(t, c, "account.update")["age"])
	require.Len(t, c.User.Query().Modify(func(s *sql.Selector) { s.Where(sql.EQ("age", 8)) }).AllX(ctx), 1)
}
