// Package neighbours_test runs a graph that three extensions have written.
package neighbours_test

import (
	"database/sql"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/entaudit/audit/entaudit"

	"neighbours/ent"
	"neighbours/ent/auditlog"
	_ "neighbours/ent/runtime"
)

func TestAllWork(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/test.db?_pragma=foreign_keys(1)")
	require.NoError(t, err)
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)), ent.Auditor(rec), ent.Rec(rec))
	defer client.Close()
	require.NoError(t, client.Schema.Create(t.Context()))
	require.Equal(t, "right", client.CallRight(), "ent takes the last of two overriding templates")
	require.NoError(t, client.Ping(t.Context()))
	require.Equal(t, "left right", ent.Left+" "+ent.Right)

	u := client.User.Create().SetName("ann").SaveX(t.Context())
	client.User.CreateBulk(client.User.Create().SetName("bob")).ExecX(t.Context())
	require.Equal(t, "left", u.FromLeft())
	u.Update().SetName("eve").ExecX(t.Context())
	require.Equal(t, 2, client.Audited(rec).User.Update().SetByLeft("").SaveX(t.Context()))
	client.User.DeleteOne(u).ExecX(t.Context())
	logs := client.AuditLog.Query().Order(auditlog.ByID()).AllX(t.Context())
	require.Len(t, logs, 5)
	tx, err := client.Tx(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	require.ErrorIs(t, tx.Record(t.Context(), entaudit.Entry{Action: "late"}), sql.ErrTxDone)
	changes, err := entaudit.DecodeChanges(logs[2].Changes)
	require.NoError(t, err)
	got := make(map[string]string)
	for _, c := range changes {
		got[c.Field] = string(c.New)
	}
	require.Equal(t, map[string]string{"name": `"eve"`, "by_left": `"left"`, "by_right": `"right"`}, got)
}
