package txdriver

import (
	stdsql "database/sql"
	"errors"
	"slices"

	"entgo.io/ent/dialect/sql"
)

// rows passes the rows of a statement to ent and shows them to the scope.
type rows struct {
	sql.ColumnScanner
	s       Statement
	columns []string
	visible int // leading columns that ent asked for
	w       *write
	end     func(error) error // nil within a transaction that ent opened itself
	err     error
	done    bool
}

func newRows(in sql.ColumnScanner, s Statement, w *write, end func(error) error) (*rows, error) {
	columns, err := in.Columns()
	if err != nil {
		return nil, err
	}
	return &rows{
		ColumnScanner: in, s: s, columns: columns,
		visible: len(columns) - s.Extra, w: w, end: end,
	}, nil
}

// Columns returns the columns that ent asked for.
func (r *rows) Columns() ([]string, error) { return r.columns[:r.visible:r.visible], nil }

// ColumnTypes returns the types of the columns that ent asked for.
func (r *rows) ColumnTypes() ([]*stdsql.ColumnType, error) {
	types, err := r.ColumnScanner.ColumnTypes()
	if err != nil {
		return nil, err
	}
	return types[:r.visible:r.visible], nil
}

// Next shows the next row to the scope. When there is none it ends the write, so
// that what goes wrong there is seen in Err.
func (r *rows) Next() bool {
	if r.done {
		return false
	}
	r.w.inside = true
	defer r.w.unwound()
	more := r.next()
	r.w.inside = false
	return more
}

func (r *rows) next() bool {
	if !r.ColumnScanner.Next() {
		r.finish(r.ColumnScanner.Err())
		return false
	}
	if r.s.Row == nil {
		return true
	}
	values, err := scanAll(r.ColumnScanner, len(r.columns))
	if err == nil {
		if err = r.s.Row(r.columns, values); err == nil {
			return true
		}
		err = r.w.refuse(err)
	}
	r.finish(err)
	return false
}

// Scan scans the columns that ent asked for.
func (r *rows) Scan(dest ...any) error {
	if n := len(r.columns) - r.visible; n > 0 {
		dest = slices.Grow(dest, n)
		for range n {
			dest = append(dest, unseen{})
		}
	}
	r.w.inside = true
	defer r.w.unwound() // a Scanner of the user's may panic
	err := r.ColumnScanner.Scan(dest...)
	r.w.inside = false
	return err
}

// unseen takes the value of a column that ent did not ask for.
type unseen struct{}

// Scan implements sql.Scanner.
func (unseen) Scan(any) error { return nil }

// Err returns what went wrong with the rows or at the end of the write.
func (r *rows) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.ColumnScanner.Err()
}

// Close undoes the write when ent gave up before the last row.
func (r *rows) Close() error {
	err := r.ColumnScanner.Close()
	if !r.done && r.end != nil {
		r.finish(errAbandoned)
	}
	return err
}

func (r *rows) finish(err error) {
	r.done = true
	if cerr := r.ColumnScanner.Close(); err == nil {
		err = cerr
	}
	switch {
	case err == nil || r.w.refused != nil:
	case errors.Is(err, errAbandoned):
		err = r.w.broke(err) // ent's doing: the scope can tell whether it has seen all rows
	default:
		err = r.w.lost(r.s, err)
	}
	if r.end != nil {
		err = r.end(err)
	}
	r.err = err
}

// scanAll returns the values of the current row as the driver gives them.
func scanAll(rows sql.ColumnScanner, n int) ([]any, error) {
	both := make([]any, 2*n)
	values, dest := both[:n:n], both[n:]
	for i := range values {
		dest[i] = &values[i]
	}
	if err := rows.Scan(dest...); err != nil {
		return nil, err
	}
	return values, nil
}
