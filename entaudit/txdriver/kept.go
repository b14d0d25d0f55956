package txdriver

import (
	"bytes"
	stdsql "database/sql"
	"database/sql/driver"
	"fmt"

	"entgo.io/ent/dialect/sql"
)

// keep runs a query and has ent see its rows once the scope has seen all of them.
func (w *write) keep(s Statement, args any, out *sql.Rows) (err error) {
	k := &kept{at: -1}
	show := s.Row
	s.Row = func(columns []string, values []any) error {
		k.list = append(k.list, values)
		return show(columns, values)
	}
	if k.columns, _, err = w.collect(s, args); err != nil {
		return err
	}
	k.columns = k.columns[:len(k.columns)-s.Extra]
	*out = sql.Rows{ColumnScanner: k}
	return nil
}

// kept are rows that were read before ent asks for them.
type kept struct {
	columns []string // that ent asked for
	list    [][]any
	at      int
}

func (k *kept) Columns() ([]string, error) { return k.columns, nil }
func (k *kept) Err() error                 { return nil }
func (k *kept) NextResultSet() bool        { return false }

func (k *kept) Close() error {
	k.list = nil
	return nil
}

func (k *kept) Next() bool {
	k.at++
	return k.at < len(k.list)
}

// ColumnTypes is for what reads rows of any shape, which no INSERT of ent's does.
func (k *kept) ColumnTypes() ([]*stdsql.ColumnType, error) {
	return nil, fmt.Errorf("entaudit: the types of %v are not known", k.columns)
}

// Scan implements sql.ColumnScanner for what ent reads ids into.
func (k *kept) Scan(dest ...any) error {
	if k.at < 0 || k.at >= len(k.list) || len(dest) != len(k.columns) {
		return fmt.Errorf("entaudit: scan of %d columns of %v", len(dest), k.columns)
	}
	for i, d := range dest {
		if err := assign(d, k.list[k.at][i]); err != nil {
			return fmt.Errorf("entaudit: scan of %s: %w", k.columns[i], err)
		}
	}
	return nil
}

// assign is what database/sql does with a value, for the types that ent has ids in.
func assign(dest, v any) error {
	switch d := dest.(type) {
	case stdsql.Scanner:
		return d.Scan(v)
	case *int64:
		var n stdsql.Null[int64]
		err := n.Scan(v)
		*d = n.V
		return err
	case *driver.Value:
		if b, ok := v.([]byte); ok {
			v = bytes.Clone(b)
		}
		*d = v
		return nil
	}
	return fmt.Errorf("unexpected type %T", dest)
}
