package torture_test

import (
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/tweet"
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

// TestCase01IDZero: MySQL makes an id where 0 is given, unless it is set not to.
func TestCase01IDZero(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]string{"made": "STRICT_TRANS_TABLES", "kept": "STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, dialect.MySQL)
			b := open(t, dialect.MySQL, driver, testdb.WithParam(dsn, "sql_mode", "'"+mode+"'"), entaudit.Config{})
			ann := b.plain.User.Create().SetName("ann").SaveX(t.Context())
			for _, ids := range [][]int64{{0}, {0, 77}, {77, 0}, {0, 0}, {0, 0, 77}} {
				for _, upsert := range []bool{false, true} {
					b.oracle.exec(t, "DELETE FROM tweets; DELETE FROM audit_logs")
					b.oracle.forget(t)
					bulk := b.client.Tweet.MapCreateBulk(ids, func(w *ent.TweetCreate, i int) { w.SetID(ids[i]).SetText("t").SetAuthor(ann) })
					var err error
					switch {
					case upsert:
						err = bulk.OnConflictColumns(tweet.FieldID).UpdateNewValues().Exec(t.Context())
					case len(ids) == 1:
						err = b.client.Tweet.Create().SetID(0).SetText("t").SetAuthor(ann).Exec(t.Context())
					default:
						err = bulk.Exec(t.Context())
					}
					b.oracle.compare(t)
					switch {
					case len(ids) == 3, upsert && len(ids) == 2 && ids[0] != ids[1]:
						var refused *entaudit.UnsupportedError
						require.ErrorAs(t, err, &refused, "%v upsert=%v", ids, upsert)
					case name == "kept" && !upsert && len(ids) == 2 && ids[0] == ids[1]:
						require.True(t, ent.IsConstraintError(err), "%v", err)
					default:
						require.NoError(t, err, "%v upsert=%v", ids, upsert)
						require.NotEmpty(t, b.entries(t))
					}
				}
			}
		})
	}
}
