package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"compat/ent/privacy"
)

func TestPrivacy(t *testing.T) {
	c, ctx := open(t), t.Context()
	err := c.User.Create().SetName("ann").Exec(privacy.DecisionContext(ctx, privacy.Denyf("not today")))
	require.ErrorIs(t, err, privacy.Deny)
	require.Zero(t, c.User.Query().CountX(ctx))
	c.User.Create().SetName("ann").ExecX(privacy.DecisionContext(ctx, privacy.Allow))
	require.Equal(t, 1, entries(t, c)["account.create"])
}
