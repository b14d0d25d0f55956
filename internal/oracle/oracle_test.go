package oracle_test

import (
	"context"
	"database/sql"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/oracle"
	"github.com/entaudit/audit/internal/testdb"
)

// tables are a parent, and children that are deleted with it or set free.
func tables() []*schema.Table {
	id := &schema.Column{Name: "id", Type: field.TypeInt, Increment: true}
	parents := schema.NewTable("parents").AddColumn(id)
	parents.Columns = append(
		parents.Columns,
		&schema.Column{Name: "order", Type: field.TypeString, Nullable: true},
		&schema.Column{Name: "at", Type: field.TypeTime, Nullable: true, SchemaType: map[string]string{dialect.MySQL: "datetime(6)"}},
		&schema.Column{Name: "ok", Type: field.TypeBool, Nullable: true},
		&schema.Column{Name: "data", Type: field.TypeBytes, Nullable: true},
		&schema.Column{Name: "float", Type: field.TypeFloat64, Nullable: true},
		&schema.Column{Name: "doc", Type: field.TypeJSON, Nullable: true},
	)
	parents.PrimaryKey = []*schema.Column{id}
	list := []*schema.Table{parents}
	for name, action := range map[string]schema.ReferenceOption{"owned": schema.Cascade, "kept": schema.SetNull} {
		id := &schema.Column{Name: "id", Type: field.TypeInt, Increment: true}
		key := &schema.Column{Name: "parent", Type: field.TypeInt, Nullable: true}
		t := schema.NewTable(name).AddColumn(id).AddColumn(key)
		t.PrimaryKey = []*schema.Column{id}
		t.AddForeignKey(&schema.ForeignKey{
			Symbol: name + "_parent", Columns: []*schema.Column{key}, RefTable: parents, RefColumns: []*schema.Column{id}, OnDelete: action,
		})
		list = append(list, t)
	}
	return list
}

// each runs f on every dialect with the tables made and watched. Statements are given
// with ANSI quotes.
func each(t *testing.T, f func(t *testing.T, o *oracle.Oracle, exec func(query string))) {
	t.Helper()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testdb.Open(t, name)
			m, err := schema.NewMigrate(entsql.OpenDB(name, db))
			require.NoError(t, err)
			list := tables()
			require.NoError(t, m.Create(t.Context(), list...))
			o, err := oracle.Install(t.Context(), db, name, list)
			require.NoError(t, err)
			f(t, o, func(query string) { exec(t, db, name, query) })
		})
	}
}

func exec(t *testing.T, db *sql.DB, dialectName, query string) {
	t.Helper()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	if dialectName == dialect.MySQL {
		_, err = conn.ExecContext(ctx, "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')")
		require.NoError(t, err)
	}
	_, err = conn.ExecContext(ctx, query)
	require.NoError(t, err, query)
}

func changes(t *testing.T, o *oracle.Oracle) (lines []string) {
	t.Helper()
	list, err := o.Changes(t.Context())
	require.NoError(t, err)
	for _, c := range list {
		lines = append(lines, c.String())
	}
	return lines
}

func TestValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *oracle.Oracle, exec func(string)) {
		exec(`INSERT INTO parents ("id", "order", "at", "ok", "data", "float", "doc") VALUES
			(1, 'it''s "q" ü', '2026-01-02 03:04:05.678901', true, 'ab', 0.1, '{"b": 1, "a": "x"}')`)
		exec(`UPDATE parents SET "float" = 0.1, "ok" = true`)
		exec(`UPDATE parents SET "float" = 1e300, "ok" = NULL, "at" = NULL`)
		exec(`DELETE FROM parents`)
		got := changes(t, o)
		require.Len(t, got, 3)
		require.Equal(t, `insert parents 1 at="2026-01-02T03:04:05.678901Z" data="ab" doc="{\"a\":\"x\",\"b\":1}" float="1e-01" ok="true" order="it's \"q\" ü"`, got[0])
		require.Equal(t, `update parents 1 at: "2026-01-02T03:04:05.678901Z" → NULL float: "1e-01" → "1e+300" ok: "true" → NULL`, got[1])
		require.Equal(t, `delete parents 1 data="ab" doc="{\"a\":\"x\",\"b\":1}" float="1e+300" order="it's \"q\" ü"`, got[2])
	})
}

// TestForeignKeys has rows changed by foreign keys, which MySQL tells no trigger.
func TestForeignKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *oracle.Oracle, exec func(string)) {
		exec(`INSERT INTO parents ("id") VALUES (1), (2)`)
		exec(`INSERT INTO owned ("id", "parent") VALUES (10, 1), (11, 2)`)
		exec(`INSERT INTO kept ("id", "parent") VALUES (20, 1), (21, 1), (22, 2)`)
		require.NoError(t, o.Forget(t.Context()))
		require.Empty(t, changes(t, o))
		exec(`UPDATE kept SET "parent" = NULL WHERE "id" = 20`)
		exec(`DELETE FROM parents WHERE "id" = 1`)
		exec(`UPDATE kept SET "parent" = 2 WHERE "id" = 21`)
		exec(`DELETE FROM parents WHERE "id" = 2`)
		require.ElementsMatch(t, []string{
			`update kept 20 parent: "1" → NULL`,
			`delete parents 1`,
			`delete owned 10 parent="1"`,
			`update kept 21 parent: "1" → NULL`,
			`update kept 21 parent: NULL → "2"`,
			`delete parents 2`,
			`delete owned 11 parent="2"`,
			`update kept 22 parent: "2" → NULL`,
			`update kept 21 parent: "2" → NULL`,
		}, changes(t, o))
		content, err := o.Content(t.Context())
		require.NoError(t, err)
		require.Len(t, content["kept"], 3)
		require.Empty(t, content["parents"])
		require.Equal(t, oracle.Null, content["kept"]["20"]["parent"])
	})
}

func TestForget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *oracle.Oracle, exec func(string)) {
		exec(`INSERT INTO parents ("id") VALUES (1)`)
		require.Len(t, changes(t, o), 1)
		require.NoError(t, o.Forget(t.Context()))
		require.Empty(t, changes(t, o))
	})
}
