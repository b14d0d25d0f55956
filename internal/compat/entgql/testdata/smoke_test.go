// Package graph_test runs a graph with entgql as its resolvers do.
package graph_test

import (
	"database/sql"
	"testing"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/entaudit/audit/entaudit"

	"graph/ent"
	"graph/ent/migrate"
	_ "graph/ent/runtime"
)

func TestResolvers(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/test.db?_pragma=foreign_keys(1)")
	require.NoError(t, err)
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)), ent.Auditor(rec))
	defer client.Close()
	require.NoError(t, client.Schema.Create(t.Context(), migrate.WithGlobalUniqueID(true)))

	var opener entgql.TxOpener = client
	for _, commit := range []bool{false, true} {
		ctx, tx, err := opener.OpenTx(t.Context())
		require.NoError(t, err)
		c := ent.FromContext(ctx)
		parent := c.Todo.Create().SetInput(ent.CreateTodoInput{Title: "parent"}).SaveX(ctx)
		c.Todo.Create().SetInput(ent.CreateTodoInput{Title: "child", ParentID: &parent.ID}).ExecX(ctx)
		rank := 5
		c.Todo.UpdateOne(parent).SetInput(ent.UpdateTodoInput{Rank: &rank}).ExecX(ctx)
		if commit {
			require.NoError(t, tx.Commit())
		} else {
			require.NoError(t, tx.Rollback())
		}
	}
	require.Equal(t, 3, client.AuditLog.Query().CountX(t.Context()))

	page, err := client.Todo.Query().Paginate(t.Context(), nil, nil, nil, nil)
	require.NoError(t, err)
	require.Equal(t, 2, page.TotalCount)
	node, err := client.Noder(t.Context(), page.Edges[0].Node.ID)
	require.NoError(t, err)
	descriptor, err := node.(*ent.Todo).Node(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Todo", descriptor.Type)
	node.(*ent.Todo).Update().SetTitle("by node").ExecX(t.Context())
	require.Equal(t, 4, client.AuditLog.Query().CountX(t.Context()))
}
