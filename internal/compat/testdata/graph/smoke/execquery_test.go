package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExecQuery(t *testing.T) {
	c, ctx := open(t), t.Context()
	tx, err := c.Tx(ctx)
	require.NoError(t, err)
	tx.User.Create().SetName("ann").ExecX(ctx)
	_, err = tx.ExecContext(ctx, "UPDATE users SET age = 7")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	rows, err := c.QueryContext(ctx, "SELECT age FROM users")
	require.NoError(t, err)
	defer rows.Close()
	var age int
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&age))
	require.Equal(t, 7, age)
	require.Equal(t, map[string]int{"account.create": 1, "audit.raw_sql": 1}, entries(t, c))
}
