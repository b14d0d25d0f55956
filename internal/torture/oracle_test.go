package torture_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
)

// oracle notes every row change with triggers of the database, so that what was
// recorded can be compared with what happened.
type oracle struct {
	b       *bundle
	skipped []string // tables that are not compared
}

// exclude leaves a table out of the comparison.
func (o *oracle) exclude(table string) { o.skipped = append(o.skipped, table) }

// resources are the audited tables of the graph with the names of their types in
// entries.
func resources() map[string]string {
	return map[string]string{
		"users": "user", "pets": "pet", "cards": "payment_card", "groups": "group",
		"kinds": "kinds", "order": "ticket", "docs": "doc", "memos": "memo", "hiddens": "hidden", "wholes": "whole",
		"accounts": "account", "counters": "counter", "blobs": "blob", "coupons": "coupon", "tweets": "tweet", "tags": "tag",
		"tweet_tags": "tweet_tag", "folders": "folder", "files": "file", "scans": "scan", "marks": "mark",
		"invoices": "invoice", "lines": "line",
	}
}

// unrecorded are columns that are left out of entries on purpose.
var unrecorded = []string{"id", "ignored"}

func newOracle(t *testing.T, b *bundle) *oracle {
	t.Helper()
	o := &oracle{b: b}
	o.exec(t, "CREATE TABLE row_changes (seq "+map[string]string{
		dialect.SQLite: "integer primary key autoincrement", dialect.Postgres: "serial primary key",
		dialect.MySQL: "bigint auto_increment primary key",
	}[b.dialect]+", tbl varchar(64), row_id varchar(255), op varchar(16), cols text)")
	for _, table := range migrate.Tables {
		if resources()[table.Name] != "" {
			for _, op := range []string{"INSERT", "UPDATE", "DELETE"} {
				o.trigger(t, table, op)
			}
		}
	}
	return o
}

func (o *oracle) exec(t *testing.T, query string) {
	t.Helper()
	_, err := o.b.db.ExecContext(context.Background(), query)
	require.NoError(t, err, query)
}

// trigger makes the trigger of one operation on one table. It notes the names of the
// columns that are set, changed or were set.
func (o *oracle) trigger(t *testing.T, table *schema.Table, op string) {
	t.Helper()
	q := `"`
	differs := "%s IS DISTINCT FROM %s"
	concat := " || "
	switch o.b.dialect {
	case dialect.MySQL:
		q, differs, concat = "`", "NOT (%s <=> %s)", ", "
	case dialect.SQLite:
		differs = "%s IS NOT %s"
	}
	var terms []string
	for _, c := range table.Columns {
		if slices.Contains(unrecorded, c.Name) {
			continue
		}
		oldc, newc := "OLD."+q+c.Name+q, "NEW."+q+c.Name+q
		cond := map[string]string{
			"INSERT": newc + " IS NOT NULL", "DELETE": oldc + " IS NOT NULL", "UPDATE": fmt.Sprintf(differs, oldc, newc),
		}[op]
		terms = append(terms, "CASE WHEN "+cond+" THEN '"+c.Name+",' ELSE '' END")
	}
	cols := strings.Join(terms, concat)
	if o.b.dialect == dialect.MySQL {
		cols = "CONCAT(" + cols + ")"
	}
	row := map[string]string{"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}[op]
	insert := fmt.Sprintf("INSERT INTO row_changes (tbl, row_id, op, cols) VALUES ('%s', %s.%sid%s, '%s', %s)",
		table.Name, row, q, q, strings.ToLower(op), cols)
	name := strings.ToLower(table.Name + "_" + op)
	on := "AFTER " + op + " ON " + q + table.Name + q + " FOR EACH ROW "
	switch o.b.dialect {
	case dialect.Postgres:
		o.exec(t, "CREATE FUNCTION "+name+"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+insert+"; RETURN NULL; END $$")
		o.exec(t, "CREATE TRIGGER "+name+" "+on+"EXECUTE FUNCTION "+name+"()")
	case dialect.MySQL:
		o.exec(t, "CREATE TRIGGER "+name+" "+on+insert)
	default:
		o.exec(t, "CREATE TRIGGER "+name+" "+on+"BEGIN "+insert+"; END")
	}
}

// happened returns what the triggers noted, one line per row change.
func (o *oracle) happened(t *testing.T) []string {
	t.Helper()
	rows, err := o.b.db.QueryContext(context.Background(), "SELECT tbl, row_id, op, cols FROM row_changes")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	changes := []string{}
	for rows.Next() {
		var table, id, op, cols string
		require.NoError(t, rows.Scan(&table, &id, &op, &cols))
		names := strings.Split(strings.TrimSuffix(cols, ","), ",")
		slices.Sort(names)
		if slices.Contains(o.skipped, table) || cols == "" && op == "update" {
			continue // an update to the same values
		}
		changes = append(changes, fmt.Sprintf("%s %s %s %v", op, resources()[table], id, names))
	}
	require.NoError(t, rows.Err())
	slices.Sort(changes)
	return changes
}

// columnOf returns the column of a field where their names differ.
func columnOf(resource, field string) string {
	switch resource + "." + field {
	case "kinds.order":
		return "group"
	case "ticket.title":
		return "select"
	case "pet.owner":
		return "user_pets"
	case "user.spouse":
		return "user_spouse"
	case "user.parent":
		return "user_children"
	case "file.folder":
		return "folder_files"
	case "scan.latest_of":
		return "file_latest"
	case "blob.prev":
		return "blob_next"
	case "coupon.holder":
		return "coupon_holder"
	}
	return field
}

// recorded returns what the entries say happened, in the same form.
func (o *oracle) recorded(t *testing.T) []string {
	t.Helper()
	changes := []string{}
	for _, e := range o.b.entries(t) {
		excluded := slices.ContainsFunc(o.skipped, func(table string) bool { return resources()[table] == e.Resource.Type })
		if excluded || e.Kind != entaudit.KindMutation || len(e.Changes) == 0 && e.Operation == entaudit.OpUpdate {
			continue
		}
		op := map[entaudit.Operation]string{
			entaudit.OpCreate: "insert", entaudit.OpUpdate: "update", entaudit.OpSoftDelete: "update", entaudit.OpDelete: "delete",
		}[e.Operation]
		names := []string{}
		for _, c := range e.Changes {
			names = append(names, columnOf(e.Resource.Type, c.Field))
		}
		slices.Sort(names)
		changes = append(changes, fmt.Sprintf("%s %s %s %v", op, e.Resource.Type, e.Resource.ID, names))
	}
	slices.Sort(changes)
	return changes
}

// compare asserts that the entries tell of exactly the row changes that happened.
func (o *oracle) compare(t *testing.T) {
	t.Helper()
	happened, recorded := o.happened(t), o.recorded(t)
	missing, extra := without(happened, recorded), without(recorded, happened)
	require.Empty(t, missing[:min(len(missing), 10)], "%d of %d row changes by the database's triggers have no entry", len(missing), len(happened))
	require.Empty(t, extra[:min(len(extra), 10)], "%d of %d entries tell of no row change", len(extra), len(recorded))
}

// without returns the elements of a that b lacks; both are sorted multisets.
func without(a, b []string) []string {
	rest := []string{}
	for _, s := range a {
		for len(b) > 0 && b[0] < s {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == s {
			b = b[1:]
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}
