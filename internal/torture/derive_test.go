package torture_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/oracle"
)

// told is what entries say happened to rows.
type told struct {
	rows  []oracle.Change
	links map[linkSide][]oracle.Change // what each side says, in full
}

// derive returns what entries tell of rows.
func derive(t *testing.T, entries []entaudit.Entry) told {
	t.Helper()
	d := told{links: make(map[linkSide][]oracle.Change)}
	for _, e := range entries {
		if e.Kind != entaudit.KindMutation || e.Outcome != entaudit.Success {
			continue
		}
		typ, ok := watched().types[e.Resource.Type]
		require.True(t, ok, "an entry of a type that is not audited: %s", e.Resource.Type)
		d.addRow(t, typ, e)
		d.addLinks(t, e)
	}
	return d
}

var rowOps = map[entaudit.Operation]oracle.Op{
	entaudit.OpCreate: oracle.Insert, entaudit.OpDelete: oracle.Delete,
	entaudit.OpUpdate: oracle.Update, entaudit.OpSoftDelete: oracle.Update, entaudit.OpRestore: oracle.Update,
}

func (d *told) addRow(t *testing.T, typ auditedType, e entaudit.Entry) {
	t.Helper()
	op, ok := rowOps[e.Operation]
	require.True(t, ok, "an entry that does not say what happened: %s %s", e.Operation, e.Resource.ID)
	c := oracle.Change{Table: typ.Table, ID: e.Resource.ID, Op: op, Columns: make(map[string]oracle.Pair)}
	for _, change := range e.Changes {
		column := typ.column(change.Field)
		require.NotNil(t, column, "%s has no column for %s", typ.Table, change.Field)
		p := oracle.Pair{
			Old: valueOf(t, column, change.Old, e.Marks["changes."+change.Field+".old"]),
			New: valueOf(t, column, change.New, e.Marks["changes."+change.Field+".new"]),
		}
		require.Equal(t, op == oracle.Insert, p.Old == "", "%s of %s", change.Field, e.Resource.ID)
		require.Equal(t, op == oracle.Delete, p.New == "", "%s of %s", change.Field, e.Resource.ID)
		if op != oracle.Update && (p.Old == oracle.Null || p.New == oracle.Null) {
			continue
		}
		require.NotContains(t, c.Columns, column.Name, "told twice")
		c.Columns[column.Name] = p
	}
	if op != oracle.Update || len(c.Columns) > 0 {
		d.rows = append(d.rows, c)
	}
}

// addLinks adds the rows of tables of links that an entry's edges stand for. Keys in
// other types' tables have entries of their own.
func (d *told) addLinks(t *testing.T, e entaudit.Entry) {
	t.Helper()
	for _, change := range e.Edges {
		require.False(t, change.Unknown, "%s of %s %s: nothing here is unknown", change.Edge, e.Resource.Type, e.Resource.ID)
		at := slices.IndexFunc(watched().sides, func(s linkSide) bool { return s.resource == e.Resource.Type && s.edge == change.Edge })
		if at < 0 {
			continue
		}
		side := watched().sides[at]
		for op, ids := range map[oracle.Op][]string{oracle.Insert: change.Added, oracle.Delete: change.Removed} {
			for _, id := range ids {
				key := oracle.Composite(id, e.Resource.ID)
				if side.first {
					key = oracle.Composite(e.Resource.ID, id)
				}
				d.links[side] = append(d.links[side], oracle.Change{Table: side.table, ID: key, Op: op})
			}
		}
	}
}

// valueOf returns the value that one side of a change stands for.
func valueOf(t *testing.T, c *schema.Column, data json.RawMessage, mark entaudit.Mark) oracle.Value {
	t.Helper()
	switch {
	case data == nil:
		return ""
	case string(data) == "null":
		return oracle.Null
	}
	text := string(data)
	if data[0] == '"' && (c.Type != field.TypeJSON || mark != "") {
		require.NoError(t, json.Unmarshal(data, &text))
	}
	switch mark {
	case entaudit.MarkRedacted, entaudit.MarkCut, entaudit.MarkHashed, entaudit.MarkUnencodable:
		return oracle.Any
	case entaudit.MarkBase64:
		b, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		return oracle.Text(string(b))
	case entaudit.MarkEscaped:
		text = unescape(t, text)
	default:
		require.Contains(t, []entaudit.Mark{"", entaudit.MarkText}, mark)
	}
	switch {
	case c.Type.Float():
		return oracle.Float(c.Type, text)
	case c.Type == field.TypeTime:
		return oracle.Time(text)
	case c.Type == field.TypeJSON:
		return oracle.JSON([]byte(text))
	}
	return oracle.Text(text)
}

// unescape returns the text that stands behind one with \xNN escapes.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b.WriteByte(s[i])
		case s[i+1] == '\\':
			b.WriteByte('\\')
			i++
		default:
			require.Equal(t, byte('x'), s[i+1], s)
			n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			require.NoError(t, err)
			b.WriteByte(byte(n))
			i += 3
		}
	}
	return b.String()
}
