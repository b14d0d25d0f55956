package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"compat/ent/card"
)

func TestUpsert(t *testing.T) {
	c, ctx := open(t), t.Context()
	for _, number := range []string{"1", "2"} {
		c.Card.Create().SetID("c").SetNumber(number).OnConflictColumns(card.FieldID).UpdateNewValues().ExecX(ctx)
	}
	c.Card.CreateBulk(c.Card.Create().SetID("c").SetNumber("3"), c.Card.Create().SetID("d").SetNumber("4")).
		OnConflictColumns(card.FieldID).UpdateNewValues().ExecX(ctx)
	require.Equal(t, 2, c.Card.Query().CountX(ctx))
	require.Equal(t, 4, c.AuditLog.Query().CountX(ctx))
}
