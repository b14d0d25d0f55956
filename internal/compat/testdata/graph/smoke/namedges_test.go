package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamedEdges(t *testing.T) {
	c, ctx := open(t), t.Context()
	u := c.User.Create().SetName("ann").AddPets(c.Pet.Create().SetName("p").SaveX(ctx)).SaveX(ctx)
	u = c.User.Query().WithNamedPets("mine").OnlyX(ctx)
	pets, err := u.NamedPets("mine")
	require.NoError(t, err)
	require.Len(t, pets, 1)
	pets[0].Update().SetName("q").ExecX(ctx)
	require.Equal(t, map[string]string{"name": `"p" → "q"`}, last(t, c, "pet.update"))
}
