package torture_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/enttest"
)

// TestCase81ExistingTest is a test as users have them, with the one option that makes
// its client audited. Its database has no audit table.
func TestCase81ExistingTest(t *testing.T) {
	sql.Register("sqlite3", &sqlite.Driver{}) // under the name that ent.Open takes
	rec := audittest.New(t)
	client := enttest.Open(t, "sqlite3", "file:case81?mode=memory&cache=shared&_pragma=foreign_keys(1)",
		enttest.WithOptions(ent.Auditor(rec)))
	defer func() { require.NoError(t, client.Close()) }()

	u := client.User.Create().SetName("ann").SaveX(t.Context())
	client.User.UpdateOne(u).SetName("bob").ExecX(t.Context())
	tx, err := client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.DeleteOne(u).ExecX(t.Context())
	require.NoError(t, tx.Rollback())
	require.Equal(t, 1, client.User.Query().CountX(t.Context()))

	log := audittest.Recorded(t, rec)
	require.Equal(t, 2, log.Len(), "what was rolled back did not happen")
	audittest.RequireChange(t, log.One(t, audittest.Operation(entaudit.OpUpdate)), "name", "ann", "bob")
}
