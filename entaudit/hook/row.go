package hook

import (
	"context"
	"errors"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// row is a row as the database holds it: id columns and some of the fields.
type row struct {
	id     string
	ids    []any
	values []any // by position in fields
}

// rows are the rows of one reading, with the fields that were read.
type rows struct {
	fields []int
	list   []row
	byID   map[string]int

	// See rows.flat.
	limit  int // of list, if it has one
	p      *plan
	many   *spill
	poured int // into many
	key    []byte
	err    error
}

func (r *rows) add(s *Schema, values []any) {
	n := len(s.ID)
	w := row{id: idOf(s, values[:n]), ids: values[:n:n], values: values[n:]}
	if r.list = append(r.list, w); r.limit > 0 && len(r.list) > r.limit {
		r.pour()
	}
}

func (r *rows) get(id string) (row, bool) {
	if len(r.byID) != len(r.list) {
		r.byID = make(map[string]int, len(r.list))
		for i, w := range r.list {
			r.byID[w.id] = i
		}
	}
	i, ok := r.byID[id]
	if !ok {
		return row{}, false
	}
	return r.list[i], true
}

// idsOf returns the ids of rows as values.
func idsOf(list []row) [][]any {
	ids := make([][]any, len(list))
	for i, w := range list {
		ids[i] = w.ids
	}
	return ids
}

// columns returns the id columns followed by those of fields.
func (s *Schema) columns(fields []int) []string {
	columns := make([]string, 0, len(s.ID)+len(fields))
	for _, f := range s.ID {
		columns = append(columns, f.Column)
	}
	for _, i := range fields {
		columns = append(columns, s.Fields[i].Column)
	}
	return columns
}

// lock is how rows are locked as they are read.
type lock int

const (
	noLock lock = iota
	lockRow
	lockKey // also against references to the row
)

// read reads the rows that match p, locked as ent's own statement would lock them.
// It is a raw query: policies, interceptors and read replicas play no part.
func (r *rows) read(ctx context.Context, tx dialect.ExecQuerier, s *Schema, t *sql.SelectTable, p *sql.Predicate, l lock) error {
	sel := sql.Dialect(t.Dialect()).Select(s.columns(r.fields)...).From(t)
	if p != nil {
		sel.Where(p)
	}
	l.on(sel, s)
	return query(ctx, tx, sel, func(values []any) { r.add(s, values) })
}

// on makes sel lock the rows of s that it reads.
func (l lock) on(sel *sql.Selector, s *Schema) {
	if l == noLock {
		return
	}
	// Everybody locks in the same order.
	for _, f := range s.ID {
		sel.OrderBy(f.Column)
	}
	switch name := sel.Dialect(); {
	case name == dialect.SQLite:
	case l == lockRow && name == dialect.Postgres:
		// FOR UPDATE would block inserts of rows that refer to this one.
		sel.For(sql.LockUpdate, sql.WithLockClause("FOR NO KEY UPDATE"))
	default:
		sel.ForUpdate()
	}
}

// query runs sel and hands over the values of each row, to be kept.
func query(ctx context.Context, tx dialect.ExecQuerier, sel *sql.Selector, row func(values []any)) (err error) {
	query, args := sel.Query()
	if err := sel.Err(); err != nil {
		return err
	}
	var res sql.Rows
	if err := tx.Query(ctx, query, args, &res); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	columns, err := res.Columns()
	if err != nil {
		return err
	}
	n := len(columns)
	for res.Next() {
		both := make([]any, 2*n)
		values, dest := both[:n:n], both[n:]
		for i := range values {
			dest[i] = &values[i]
		}
		if err := res.Scan(dest...); err != nil {
			return err
		}
		row(values)
	}
	return res.Err()
}

// readChunk is the number of ids that one query names.
const readChunk = 1000

// chunk returns how many rows one query names. SQLite takes conditions of a thousand
// terms, and an id of two columns is a term of its own.
func (s *Schema) chunk() int {
	if len(s.ID) > 1 {
		return upsertChunk
	}
	return readChunk
}

// readIDs reads the rows with the given ids as the transaction sees them.
func (r *rows) readIDs(ctx context.Context, tx dialect.ExecQuerier, s *Schema, table func() *sql.SelectTable, ids [][]any) error {
	return r.readNow(ctx, tx, s, table, ids, noLock)
}

// readNow reads the rows with the given ids and locks them. On MySQL that gives what is
// there now: without a lock a transaction of the caller's sees rows as they were when it
// began, but for those that it has changed.
func (r *rows) readNow(ctx context.Context, tx dialect.ExecQuerier, s *Schema, table func() *sql.SelectTable, ids [][]any, l lock) error {
	for len(ids) > 0 {
		n := min(len(ids), s.chunk())
		if err := r.read(ctx, tx, s, table(), matchIDs(s, ids[:n]), l); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// matchIDs returns the predicate for the rows with the given ids.
func matchIDs(s *Schema, ids [][]any) *sql.Predicate { return matchTuples(s.columns(nil), ids) }

// matchTuples returns the predicate for the rows whose columns hold one of tuples.
func matchTuples(columns []string, tuples [][]any) *sql.Predicate {
	if len(columns) == 1 {
		values := make([]any, len(tuples))
		for i, t := range tuples {
			values[i] = t[0]
		}
		if len(values) == 1 {
			return sql.EQ(columns[0], values[0])
		}
		return sql.In(columns[0], values...)
	}
	any := make([]*sql.Predicate, len(tuples))
	for i, t := range tuples {
		all := make([]*sql.Predicate, len(columns))
		for j, c := range columns {
			all[j] = sql.EQ(c, t[j])
		}
		any[i] = sql.And(all...)
	}
	return sql.Or(any...)
}
