// Package table is the one place that knows how an entry becomes a row of the
// audit table and a row becomes an entry again.
package table

import (
	"strconv"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
)

// RecordedAt is the one column that no statement sets: it defaults to the
// database's clock.
const RecordedAt = "recorded_at"

// column is a column and its type in PostgreSQL, which a JSON record must name.
type column struct{ name, record string }

// origin reports whether the column says who acted how and in which request, which
// the entries of one transaction mostly have in common.
func (c column) origin() bool {
	switch c.name {
	case "schema_version", "service", "kind", "outcome", "reason",
		"actor_id", "actor_type", "actor_email", "impersonator_id", "actor_chain", "actor_tenant_id", "tx_id",
		"request_id", "trace_id", "method", "path", "route", "query", "status_code", "ip_address", "user_agent":
		return true
	}
	return false
}

func columns() []column {
	const text = "text"
	return []column{
		{"id", "uuid"},
		{"schema_version", "integer"},
		{"service", text},
		{"kind", text},
		{"action", text},
		{"operation", text},
		{"outcome", text},
		{"reason", text},
		{"occurred_at", "timestamptz"},
		{RecordedAt, "timestamptz"},
		{"duration_us", "bigint"},
		{"actor_id", text},
		{"actor_type", text},
		{"actor_email", text},
		{"impersonator_id", text},
		{"actor_chain", text},
		{"tenant_id", text},
		{"tenant_slug", text},
		{"actor_tenant_id", text},
		{"resource_type", text},
		{"resource_id", text},
		{"resource_label", text},
		{"resource_schema", text},
		{"changes", text},
		{"edges", text},
		{"changed_fields", text},
		{"cause_id", "uuid"},
		{"tx_id", "uuid"},
		{"tx_seq", "integer"},
		{"request_id", text},
		{"trace_id", text},
		{"method", text},
		{"path", text},
		{"route", text},
		{"query", text},
		{"status_code", "integer"},
		{"ip_address", text},
		{"user_agent", text},
		{"metadata", text},
		{"marks", text},
	}
}

// Columns returns the names of the table's columns in order.
func Columns() []string {
	cols := columns()
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return names
}

// SelectList returns the quoted names of all columns, in the order in which
// [Row] scans them.
func SelectList(dialectName string) string { return texts(dialectName).selected }

// Quote returns an identifier, optionally with a schema in front, as the
// dialect wants it.
func Quote(dialectName, name string) string {
	q := `"`
	if dialectName == dialect.MySQL {
		q = "`"
	}
	if schema, rest, ok := strings.Cut(name, "."); ok {
		return q + strings.ReplaceAll(schema, q, q+q) + q + "." + q + strings.ReplaceAll(rest, q, q+q) + q
	}
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// inserted is the number of columns that an INSERT sets: all but recorded_at.
const inserted = 39

// statement holds the parts of statements that depend on nothing but the
// dialect.
type statement struct {
	selected string   // every column
	names    []string // every column that is inserted
	columns  string   // " (...)": every column that is inserted
	values   string   // columns + " VALUES (...)" for one row
	row      string   // "(?, ...)"
	record   string   // columns + " SELECT ... FROM json_to_recordset($1::json) AS x(...)"
	common   string   // the same with the columns of the origin as arguments of their own
	origin   []int    // positions of those in names
}

var (
	ansi  = sync.OnceValue(func() statement { return newStatement(dialect.SQLite) })
	mySQL = sync.OnceValue(func() statement { return newStatement(dialect.MySQL) })
	pg    = sync.OnceValue(func() statement { return newStatement(dialect.Postgres) })
)

func texts(dialectName string) statement {
	switch dialectName {
	case dialect.Postgres:
		return pg()
	case dialect.MySQL:
		return mySQL()
	default:
		return ansi()
	}
}

func newStatement(dialectName string) statement {
	var all, names, marks, typed []string
	var own, ownTyped, origin, casts []string // of the common form
	var at []int
	for _, c := range columns() {
		name := Quote(dialectName, c.name)
		all = append(all, name)
		if c.name == RecordedAt {
			continue
		}
		names = append(names, name)
		typed = append(typed, name+" "+c.record)
		if c.origin() {
			at = append(at, len(names)-1)
			origin = append(origin, name)
			casts = append(casts, "$"+strconv.Itoa(len(origin)+1)+"::"+c.record)
		} else {
			own = append(own, name)
			ownTyped = append(ownTyped, name+" "+c.record)
		}
		if dialectName == dialect.Postgres {
			marks = append(marks, "$"+strconv.Itoa(len(names)))
		} else {
			marks = append(marks, "?")
		}
	}
	list := strings.Join(names, ", ")
	s := statement{
		selected: strings.Join(all, ", "),
		names:    names,
		columns:  " (" + list + ")",
		row:      "(" + strings.Join(marks, ", ") + ")",
	}
	s.values = s.columns + " VALUES " + s.row
	s.record = s.columns + " SELECT " + list + " FROM json_to_recordset($1::json) AS x(" + strings.Join(typed, ", ") + ")"
	s.common = " (" + strings.Join(append(own, origin...), ", ") + ") SELECT " + strings.Join(append(own, casts...), ", ") +
		" FROM json_to_recordset($1::json) AS x(" + strings.Join(ownTyped, ", ") + ")"
	s.origin = at
	return s
}
