package smoke_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"compat/ent"
	"compat/ent/auditlog"
)

// TestSchemaConfig names the one schema that SQLite has without further ado.
func TestSchemaConfig(t *testing.T) {
	c, ctx := open(t, ent.AlternateSchema(ent.SchemaConfig{User: "main"})), t.Context()
	u := c.User.Create().SetName("ann").SaveX(ctx)
	c.User.Update().AddAge(1).ExecX(ctx)
	u.Update().SetAge(5).ExecX(ctx)
	c.User.DeleteOne(u).ExecX(ctx)
	require.Equal(t, 4, c.AuditLog.Query().Where(auditlog.ResourceSchema("main")).CountX(ctx))
}
