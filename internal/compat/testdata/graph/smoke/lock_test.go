package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLock shows that nothing of ours answers for ent, which has no locks on SQLite.
func TestLock(t *testing.T) {
	c, ctx := open(t), t.Context()
	_, err := c.User.Query().ForUpdate().All(ctx)
	require.ErrorContains(t, err, "not supported in SQLite")
	u := c.User.Create().SetName("ann").SaveX(ctx)
	u.Update().SetAge(1).ExecX(ctx)
	require.Equal(t, "0 → 1", last(t, c, "account.update")["age"])
}
