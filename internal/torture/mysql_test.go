package torture_test

import (
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
)

// TestCase03IDsOfACluster has MySQL count ids in steps, as nodes of a cluster do.
func TestCase03IDsOfACluster(t *testing.T) {
	t.Parallel()
	driver, dsn := testdb.DSN(t, dialect.MySQL)
	dsn = testdb.WithParam(testdb.WithParam(dsn, "auto_increment_increment", "3"), "auto_increment_offset", "2")
	b := open(t, dialect.MySQL, driver, dsn, entaudit.Config{})
	b.client.Group.Create().SetName("one").ExecX(t.Context())
	b.client.Group.MapCreateBulk([]string{"a", "b", "c"}, func(g *ent.GroupCreate, i int) { g.SetName("bulk") }).ExecX(t.Context())
	b.client.User.MapCreateBulk([]string{"a", "b", "c"}, func(u *ent.UserCreate, i int) { u.SetName("bulk") }).ExecX(t.Context())
	require.Len(t, b.entries(t), 7)
	b.oracle.compare(t)
}
