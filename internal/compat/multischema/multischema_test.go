package multischema_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/compat/multischema/ent"
	"github.com/entaudit/audit/internal/compat/multischema/ent/review"
	"github.com/entaudit/audit/internal/compat/multischema/ent/user"
)

func TestCase56Rows(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), b.client
		u := c.User.Create().SetName("ann").SaveX(ctx)
		c.User.CreateBulk(c.User.Create().SetName("bob"), c.User.Create().SetName("cat")).ExecX(ctx)
		c.Product.Create().SetName("pen").ExecX(ctx)
		u.Update().SetName("eve").ExecX(ctx)
		require.Equal(t, 2, c.User.Update().Where(user.IDGT(u.ID)).AddAge(1).SaveX(ctx))
		require.Equal(t, 1, c.Product.Delete().ExecX(ctx))
		c.User.DeleteOne(u).ExecX(ctx)
		lines := b.recorded(t)
		require.Equal(t, []string{
			`create people.user 1 name:-→"ann" age:-→0`,
			`create people.user 2 name:-→"bob" age:-→0`,
			`create people.user 3 name:-→"cat" age:-→0`,
			`create shop.product 1 name:-→"pen"`,
			`update people.user 1 name:"ann"→"eve"`,
			`update people.user 2 age:0→1`,
			`update people.user 3 age:0→1`,
			`delete shop.product 1 name:"pen"→-`,
			`delete people.user 1 name:"eve"→- age:0→-`,
		}, lines)
	})
}

func TestCase56Transaction(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		for _, commit := range []bool{false, true} {
			tx, err := b.client.Tx(ctx)
			require.NoError(t, err)
			u := tx.User.Create().SetName("ann").SaveX(ctx)
			o := tx.Order.Create().SetCode("o").SetUser(u).SaveX(ctx)
			tx.Order.UpdateOne(o).SetCode("p").ExecX(ctx)
			tx.User.Update().AddAge(1).ExecX(ctx)
			if !commit {
				require.NoError(t, tx.Rollback())
				continue
			}
			require.NoError(t, tx.Commit())
		}
		require.Len(t, b.recorded(t), 4)
	})
}

func TestCase56OwnKeys(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), b.client
		u, v := c.User.Create().SetName("u").SaveX(ctx), c.User.Create().SetName("v").SaveX(ctx)
		o := c.Order.Create().SetCode("o").SetUser(u).SaveX(ctx)
		o.Update().SetUser(v).ExecX(ctx)
		o.Update().ClearUser().ExecX(ctx)
		p := c.Product.Create().SetName("p").SaveX(ctx)
		r := c.Review.Create().SetUser(u).SetProduct(p).SaveX(ctx)
		r.Update().SetStars(5).ExecX(ctx)
		require.Equal(t, 1, c.Review.Delete().Where(review.UserID(u.ID)).ExecX(ctx))
		require.Equal(t, []string{
			`create shop.order 1 code:-→"o" user:-→1`,
			`update shop.order 1 user:1→2`,
			`update shop.order 1 user:2→null`,
			`create shop.product 1 name:-→"p"`,
			`create shop.review ["1","1"] user_id:-→1 product_id:-→1 stars:-→3`,
			`update shop.review ["1","1"] stars:3→5`,
			`delete shop.review ["1","1"] user_id:1→- product_id:1→- stars:5→-`,
		}, b.recorded(t)[2:])
	})
}

func TestCase56Upsert(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), b.client
		upsert := func(name string, age int) *ent.UserCreate { return c.User.Create().SetName(name).SetAge(age) }
		upsert("ann", 1).OnConflictColumns(user.FieldName).UpdateNewValues().ExecX(ctx)
		upsert("ann", 2).OnConflictColumns(user.FieldName).UpdateNewValues().ExecX(ctx)
		c.User.CreateBulk(upsert("ann", 3), upsert("bob", 4)).OnConflictColumns(user.FieldName).UpdateNewValues().ExecX(ctx)
		require.Equal(t, []int{3, 4}, c.User.Query().Order(user.ByAge()).Select(user.FieldAge).IntsX(ctx))
		bob := c.User.Query().Where(user.Name("bob")).OnlyIDX(ctx) // ids are used up by rows that are not inserted
		require.Equal(t, []string{
			`create people.user 1 name:-→"ann" age:-→1`,
			`update people.user 1 age:1→2`,
			`update people.user 1 age:2→3`,
			fmt.Sprintf(`create people.user %d name:-→"bob" age:-→4`, bob),
		}, b.recorded(t))
	})
}
