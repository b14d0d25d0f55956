package torture_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/oracle"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
)

// replayer applies entries to tables that are empty to begin with.
type replayer struct {
	t       *testing.T
	db      *sql.DB
	dialect string
	masked  map[string]bool // "table.column" of which entries do not tell the values
}

// replay asserts that the entries, applied in order to empty tables of the same database
// system, give what the tables hold. What is masked or left out in entries is not
// compared.
func replay(t *testing.T, b *bundle) {
	t.Helper()
	r := &replayer{t: t, db: testdb.Open(t, b.dialect), dialect: b.dialect, masked: maps.Clone(watched().ignored)}
	r.masked["kinds.touched_at"] = true // left out where nothing else changed
	tables, err := schema.CopyTables(migrate.Tables)
	require.NoError(t, err)
	c := ent.NewClient(ent.Driver(entsql.OpenDB(b.dialect, r.db)))
	require.NoError(t, migrate.Create(t.Context(), c.Schema, tables, migrate.WithForeignKeys(false)))

	tx, err := r.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for _, e := range b.entries(t) {
		if e.Kind == entaudit.KindMutation && e.Outcome == entaudit.Success {
			r.apply(tx, e)
		}
	}
	require.NoError(t, tx.Commit())

	copied, err := oracle.New(r.db, b.dialect, migrate.Tables).Content(t.Context())
	require.NoError(t, err)
	original, err := b.oracle.log.Content(t.Context())
	require.NoError(t, err)
	compared := 0
	for table := range original {
		if watched().compares(table) {
			require.Equal(t, r.lines(table, original[table]), r.lines(table, copied[table]), "rows of %s", table)
			compared += len(original[table])
		}
	}
	t.Logf("%d rows replayed", compared)
}

// lines returns rows as text, ordered, without what entries do not tell.
func (r *replayer) lines(table string, rows map[string]oracle.Row) []string {
	list := make([]string, 0, len(rows))
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		var b strings.Builder
		b.WriteString(id)
		for _, c := range slices.Sorted(maps.Keys(rows[id])) {
			if !r.masked[table+"."+c] {
				fmt.Fprintf(&b, " %s=%s", c, rows[id][c])
			}
		}
		list = append(list, b.String())
	}
	return list
}

// apply does to the tables what an entry tells.
func (r *replayer) apply(tx *sql.Tx, e entaudit.Entry) {
	r.t.Helper()
	typ := watched().types[e.Resource.Type]
	var set, where statement
	r.key(&where, typ.table, e.Resource.ID)
	for _, c := range e.Changes {
		column := typ.column(c.Field)
		data, mark := c.New, e.Marks["changes."+c.Field+".new"]
		if mark == entaudit.MarkRedacted || e.Marks["changes."+c.Field+".old"] == entaudit.MarkRedacted {
			r.masked[typ.Table+"."+column.Name] = true
			continue
		}
		if !slices.Contains(where.columns, column.Name) {
			set.add(column.Name, r.argument(column, data, mark))
		}
	}
	switch rowOps[e.Operation] {
	case oracle.Insert:
		for _, c := range typ.table.Columns {
			if !slices.Contains(where.columns, c.Name) && !slices.Contains(set.columns, c.Name) {
				set.add(c.Name, nil) // what an entry leaves out is NULL and not the column's default
			}
		}
		r.insert(tx, typ.Table, where, set)
	case oracle.Delete:
		r.exec(tx, "DELETE FROM "+r.quote(typ.Table)+" WHERE "+where.list(r, 0, " AND "), where.args, 1)
	case oracle.Update:
		if len(set.columns) > 0 {
			query := "UPDATE " + r.quote(typ.Table) + " SET " + set.list(r, 0, ", ") + " WHERE " + where.list(r, len(set.args), " AND ")
			r.exec(tx, query, append(set.args, where.args...), 1)
		}
	}
	r.applyLinks(tx, e)
}

// applyLinks adds and removes the links that an entry's edges tell of. Where both sides
// tell, they tell the same: only the first is applied.
func (r *replayer) applyLinks(tx *sql.Tx, e entaudit.Entry) {
	told := told{links: make(map[linkSide][]oracle.Change)}
	told.addLinks(r.t, e)
	for side, changes := range told.links {
		other := func(s linkSide) bool { return s.table == side.table && s.first }
		if !side.first && slices.ContainsFunc(watched().sides, other) {
			continue
		}
		at := slices.IndexFunc(migrate.Tables, func(t *schema.Table) bool { return t.Name == side.table })
		for _, c := range changes {
			var key statement
			r.key(&key, migrate.Tables[at], c.ID)
			if c.Op == oracle.Insert {
				r.insert(tx, side.table, key, statement{})
			} else {
				r.exec(tx, "DELETE FROM "+r.quote(side.table)+" WHERE "+key.list(r, 0, " AND "), key.args, 1)
			}
		}
	}
}

// statement is a part of a statement: columns and their values.
type statement struct {
	columns []string
	args    []any
}

func (s *statement) add(column string, arg any) {
	s.columns, s.args = append(s.columns, column), append(s.args, arg)
}

// list returns "column = value" for each column. Arguments are counted from after.
func (s *statement) list(r *replayer, after int, sep string) string {
	terms := make([]string, len(s.columns))
	for i, c := range s.columns {
		terms[i] = r.quote(c) + " = " + r.placeholder(after+i+1)
	}
	return strings.Join(terms, sep)
}

func (r *replayer) insert(tx *sql.Tx, table string, key, set statement) {
	columns, args := slices.Concat(key.columns, set.columns), slices.Concat(key.args, set.args)
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], values[i] = r.quote(c), r.placeholder(i+1)
	}
	r.exec(tx, "INSERT INTO "+r.quote(table)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")", args, 1)
}

func (r *replayer) exec(tx *sql.Tx, query string, args []any, rows int64) {
	r.t.Helper()
	res, err := tx.ExecContext(context.Background(), query, args...)
	require.NoError(r.t, err, "%s %v", query, args)
	n, err := res.RowsAffected()
	require.NoError(r.t, err)
	require.Equal(r.t, rows, n, "%s %v", query, args)
}

func (r *replayer) quote(name string) string {
	if r.dialect == dialect.MySQL {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

func (r *replayer) placeholder(n int) string {
	if r.dialect == dialect.Postgres {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// key adds the columns of the id of a row.
func (r *replayer) key(s *statement, table *schema.Table, id string) {
	ids := []string{id}
	if len(table.PrimaryKey) > 1 {
		require.NoError(r.t, json.Unmarshal([]byte(id), &ids))
	}
	for i, c := range table.PrimaryKey {
		switch {
		case c.Type == field.TypeBytes:
			var b []byte
			_, err := fmt.Sscanf(ids[i], "%x", &b)
			require.NoError(r.t, err)
			s.add(c.Name, b)
		case c.Type.Integer():
			n, err := strconv.ParseInt(ids[i], 10, 64)
			require.NoError(r.t, err)
			s.add(c.Name, n)
		default:
			s.add(c.Name, ids[i])
		}
	}
}

// argument returns the value that one side of a change stands for as an argument of a
// statement.
func (r *replayer) argument(c *schema.Column, data json.RawMessage, mark entaudit.Mark) any {
	if data == nil || string(data) == "null" {
		return nil
	}
	text := string(data)
	if data[0] == '"' && (c.Type != field.TypeJSON || mark != "") {
		require.NoError(r.t, json.Unmarshal(data, &text))
	}
	var arg any = text
	var err error
	switch {
	case mark == entaudit.MarkBase64:
		arg, err = base64.StdEncoding.DecodeString(text)
	case mark == entaudit.MarkEscaped:
		arg = unescape(r.t, text)
	case c.Type == field.TypeBool:
		arg, err = strconv.ParseBool(text)
	case c.Type.Float():
		arg, err = strconv.ParseFloat(text, 64)
	case c.Type == field.TypeTime:
		arg, err = time.Parse(time.RFC3339Nano, text)
	case c.Type.Integer():
		arg, err = strconv.ParseInt(text, 10, 64)
	}
	require.NoError(r.t, err)
	return arg
}
