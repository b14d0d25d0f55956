// Package oracle notes every row change of a database with the database's own triggers,
// so that tests can compare what was recorded with what happened. It shares no code
// with what it checks: values are brought into a form of their own, in SQL and here.
package oracle

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
)

// Log is the name of the table that the triggers write to.
const Log = "row_changes"

// Oracle notes the row changes of some tables. It is not safe for concurrent use.
type Oracle struct {
	db      *sql.DB
	dialect string
	tables  []*schema.Table
	byName  map[string]*schema.Table
	base    Content // on MySQL: what the tables held when the log was last emptied
}

// New returns an oracle of tables that it does not watch: it knows what they hold.
func New(db *sql.DB, dialectName string, tables []*schema.Table) *Oracle {
	o := &Oracle{db: db, dialect: dialectName, tables: tables, byName: make(map[string]*schema.Table, len(tables)), base: Content{}}
	for _, t := range tables {
		o.byName[t.Name] = t
	}
	return o
}

// Install makes triggers on all tables and the table that they write to.
func Install(ctx context.Context, db *sql.DB, dialectName string, tables []*schema.Table) (*Oracle, error) {
	o := New(db, dialectName, tables)
	var ddl strings.Builder
	ddl.WriteString("CREATE TABLE " + Log + " (seq " + map[string]string{
		dialect.SQLite: "integer primary key autoincrement", dialect.Postgres: "serial primary key",
		dialect.MySQL: "bigint auto_increment primary key",
	}[dialectName] + ", tx varchar(32), tbl varchar(64), op varchar(16), old_row ")
	text := "text"
	if dialectName == dialect.MySQL {
		text = "longtext"
	}
	ddl.WriteString(text + ", new_row " + text + ");")
	for _, t := range tables {
		for _, op := range []Op{Insert, Update, Delete} {
			ddl.WriteString(trigger(dialectName, t, op))
		}
	}
	if _, err := db.ExecContext(ctx, ddl.String()); err != nil {
		return nil, fmt.Errorf("oracle: install: %w", err)
	}
	return o, nil
}

// Forget empties the log.
func (o *Oracle) Forget(ctx context.Context) (err error) {
	if o.dialect == dialect.MySQL {
		if o.base, err = o.Content(ctx); err != nil {
			return err
		}
	}
	return o.empty(ctx)
}

func (o *Oracle) empty(ctx context.Context) error {
	if _, err := o.db.ExecContext(ctx, "DELETE FROM "+Log); err != nil {
		return fmt.Errorf("oracle: forget: %w", err)
	}
	return nil
}

// Changes returns what happened since the log was last emptied, in order. Updates to
// the same values are left out. Nobody must write meanwhile.
func (o *Oracle) Changes(ctx context.Context) ([]Change, error) {
	changes, _, err := o.read(ctx)
	return changes, err
}

// Drain returns what Changes returns and empties the log.
func (o *Oracle) Drain(ctx context.Context) ([]Change, error) {
	changes, now, err := o.read(ctx)
	if err != nil {
		return nil, err
	}
	o.base = now
	return changes, o.empty(ctx)
}

// read returns what happened and, on MySQL, what the tables hold.
func (o *Oracle) read(ctx context.Context) (changes []Change, now Content, err error) {
	records, err := o.records(ctx)
	if err != nil {
		return nil, nil, err
	}
	if o.dialect == dialect.MySQL {
		// Its triggers do not see what foreign keys do.
		if now, err = o.Content(ctx); err != nil {
			return nil, nil, err
		}
		records = o.silent(records, now)
	}
	for _, r := range records {
		c := r.change(o.byName[r.table])
		if c.Op != Update || len(c.Columns) > 0 {
			changes = append(changes, c)
		}
	}
	return changes, now, nil
}

// Content is what tables hold: rows by table and id.
type Content map[string]map[string]Row

// Content returns what the tables hold.
func (o *Oracle) Content(ctx context.Context) (content Content, err error) {
	selects := make([]string, len(o.tables))
	for i, t := range o.tables {
		selects[i] = fmt.Sprintf("SELECT '%s', %s FROM %s", t.Name, image(o.dialect, t, ""), quote(o.dialect, t.Name))
	}
	rows, err := o.db.QueryContext(ctx, strings.Join(selects, " UNION ALL "))
	if err != nil {
		return nil, fmt.Errorf("oracle: content: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	content = make(Content, len(o.tables))
	for _, t := range o.tables {
		content[t.Name] = make(map[string]Row)
	}
	for rows.Next() {
		var name string
		var data []byte
		if err := rows.Scan(&name, &data); err != nil {
			return nil, fmt.Errorf("oracle: content: %w", err)
		}
		row, err := decode(o.byName[name], data)
		if err != nil {
			return nil, err
		}
		content[name][row.id(o.byName[name])] = row
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("oracle: content: %w", err)
	}
	return content, nil
}

// record is one row of the log.
type record struct {
	seq      int64
	tx       string
	table    string
	op       Op
	silent   bool // not seen by a trigger
	old, new Row
}

func (o *Oracle) records(ctx context.Context) (records []record, err error) {
	rows, err := o.db.QueryContext(ctx, "SELECT seq, tx, tbl, op, old_row, new_row FROM "+Log+" ORDER BY seq")
	if err != nil {
		return nil, fmt.Errorf("oracle: read log: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r record
		var before, after []byte
		if err := rows.Scan(&r.seq, &r.tx, &r.table, &r.op, &before, &after); err != nil {
			return nil, fmt.Errorf("oracle: read log: %w", err)
		}
		t := o.byName[r.table]
		if r.old, err = decode(t, before); err != nil {
			return nil, err
		}
		if r.new, err = decode(t, after); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("oracle: read log: %w", err)
	}
	return records, nil
}

// Row is a row, its values by column.
type Row map[string]Value

// decode returns the row whose image a trigger or a query made, or nil for none.
func decode(t *schema.Table, data []byte) (Row, error) {
	if data == nil {
		return nil, nil
	}
	var raw map[string]*string
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("oracle: row of %s: %w", t.Name, err)
	}
	row := make(Row, len(raw))
	for _, c := range t.Columns {
		text := raw[c.Name]
		if text == nil {
			row[c.Name] = Null
			continue
		}
		b, err := hex.DecodeString(*text)
		if err != nil {
			return nil, fmt.Errorf("oracle: %s.%s: %w", t.Name, c.Name, err)
		}
		row[c.Name] = Stored(c.Type, b)
	}
	return row, nil
}

// id returns the id of the row as entries name it: the text of its key, or a JSON array
// of texts where the key has several columns.
func (r Row) id(t *schema.Table) string {
	ids := make([]string, len(t.PrimaryKey))
	for i, c := range t.PrimaryKey {
		ids[i] = r[c.Name].ID(c.Type)
	}
	if len(ids) == 1 {
		return ids[0]
	}
	return Composite(ids...)
}

// Composite returns the id of a row whose key has several columns.
func Composite(ids ...string) string {
	// Texts can always be encoded.
	b, _ := json.Marshal(ids)
	return string(b)
}

// isKey reports whether c is the whole key of t.
func isKey(t *schema.Table, c string) bool {
	return len(t.PrimaryKey) == 1 && slices.ContainsFunc(t.PrimaryKey, func(k *schema.Column) bool { return k.Name == c })
}
