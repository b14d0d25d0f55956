package smoke_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"compat/ent/auditlog"
)

func TestGlobalID(t *testing.T) {
	c, ctx := open(t), t.Context()
	o := c.Order.Create().SaveX(ctx)
	require.Greater(t, o.ID, 1<<32, "types have ranges of ids of their own")
	require.Equal(t, 1, c.AuditLog.Query().Where(auditlog.ResourceID(strconv.Itoa(o.ID))).CountX(ctx))
}
