package store

import (
	"context"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// query is a SELECT of entries while it is put together.
type query struct {
	dialect string
	text    strings.Builder
	args    []any
	where   bool
}

func (s *Store) newQuery() *query {
	q := &query{dialect: s.dialect}
	q.text.WriteString("SELECT " + table.SelectList(s.dialect) + " FROM " + table.Quote(s.dialect, s.table))
	return q
}

// and begins the next condition.
func (q *query) and() {
	if q.where {
		q.text.WriteString(" AND ")
		return
	}
	q.where = true
	q.text.WriteString(" WHERE ")
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	if q.dialect == dialect.Postgres {
		return "$" + strconv.Itoa(len(q.args))
	}
	return "?"
}

// compare adds a condition.
func (q *query) compare(column, operator string, v any) {
	q.and()
	q.text.WriteString(table.Quote(q.dialect, column) + " " + operator + " " + q.arg(v))
}

// equal adds a condition on a text column, unless the text is empty. MySQL takes
// texts that differ in trailing spaces for equal, which ids of tenants are not.
func (q *query) equal(column, text string) {
	if text == "" {
		return
	}
	q.compare(column, "=", text)
	if q.dialect == dialect.MySQL {
		q.and()
		q.text.WriteString("length(" + table.Quote(q.dialect, column) + ") = " + q.arg(len(text)))
	}
}

// id adds a condition on the id.
func (q *query) id(operator string, id uuid.UUID) { q.compare("id", operator, id.String()) }

// in adds the condition that the id is one of those of entries.
func (q *query) in(column string, entries []entaudit.Entry) {
	q.and()
	q.text.WriteString(table.Quote(q.dialect, column) + " IN (")
	for i := range entries {
		if i > 0 {
			q.text.WriteString(", ")
		}
		q.text.WriteString(q.arg(entries[i].ID.String()))
	}
	q.text.WriteString(")")
}

// read returns the entries that q selects.
func (s *Store) read(ctx context.Context, q *query) (entries []entaudit.Entry, err error) {
	var rows entsql.Rows
	if err := s.drv.Query(ctx, q.text.String(), q.args, &rows); err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	var r table.Row
	for rows.Next() {
		if err := rows.Scan(r.Dest()...); err != nil {
			return nil, err
		}
		e, err := r.Entry()
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
