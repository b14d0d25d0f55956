package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBidiEdges(t *testing.T) {
	c, ctx := open(t), t.Context()
	c.User.Create().SetName("ann").AddPets(c.Pet.Create().SetName("p").SaveX(ctx)).ExecX(ctx)
	u := c.User.Query().WithPets().OnlyX(ctx)
	require.Same(t, u, u.Edges.Pets[0].Edges.Owner)
	u.Edges.Pets[0].Edges.Owner.Update().SetAge(1).ExecX(ctx)
	require.Equal(t, "0 → 1", last(t, c, "account.update")["age"])
}
