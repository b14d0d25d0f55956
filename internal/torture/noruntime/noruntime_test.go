// Package noruntime_test uses the generated client in a program that forgot to import
// its runtime package.
package noruntime_test

import (
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
)

const sentence = `add the import _ "github.com/entaudit/audit/internal/torture/ent/runtime" to package main`

func TestMissingRuntime(t *testing.T) {
	t.Parallel()
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	drv := entsql.OpenDB(dialect.SQLite, testdb.Open(t, dialect.SQLite))
	for name, c := range map[string]*ent.Client{
		"Auditor": ent.NewClient(ent.Driver(drv), ent.Auditor(rec)),
		"Audited": ent.NewClient(ent.Driver(drv)).Audited(rec),
	} {
		require.NoError(t, c.Schema.Create(t.Context()))
		ctx := t.Context()
		for op, do := range map[string]func() error{
			"create":     func() error { return c.Group.Create().SetName("a").Exec(ctx) },
			"createbulk": func() error { return c.Group.CreateBulk(c.Group.Create().SetName("a")).Exec(ctx) },
			"bulk of two": func() error {
				return c.Group.MapCreateBulk([]string{"a", "b"}, func(g *ent.GroupCreate, _ int) { g.SetName("a") }).Exec(ctx)
			},
			"update":    func() error { return c.Group.Update().SetName("b").Exec(ctx) },
			"updateone": func() error { return c.Group.UpdateOneID(1).SetName("b").Exec(ctx) },
			"delete":    func() error { _, err := c.Group.Delete().Exec(ctx); return err },
			"deleteone": func() error { return c.Group.DeleteOneID(1).Exec(ctx) },
		} {
			require.NotPanics(t, func() { require.ErrorContains(t, do(), sentence, "%s of %s", op, name) })
		}
		require.Zero(t, c.Group.Query().CountX(ctx))
	}
}
