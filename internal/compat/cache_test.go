package compat_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// cache answers a query that it has seen with what it saw, for ever. Transactions go
// past it, as they do with the caches that there are for ent.
type cache struct {
	dialect.Driver
	mu   sync.Mutex
	seen map[string]result
	hits int
}

// result is what a query returned.
type result struct {
	columns []string
	rows    [][]any
}

func (c *cache) Query(ctx context.Context, query string, args, v any) error {
	rows, ok := v.(*entsql.Rows)
	if !ok || !strings.HasPrefix(query, "SELECT") {
		return c.Driver.Query(ctx, query, args, v)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := fmt.Sprint(query, args)
	res, ok := c.seen[key]
	if !ok {
		var err error
		if res, err = c.read(ctx, query, args); err != nil {
			return err
		}
		c.seen[key] = res
	} else {
		c.hits++
	}
	rows.ColumnScanner = &repeated{result: res, at: -1}
	return nil
}

func (c *cache) read(ctx context.Context, query string, args any) (res result, err error) {
	var rows entsql.Rows
	if err := c.Driver.Query(ctx, query, args, &rows); err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if res.columns, err = rows.Columns(); err != nil {
		return res, err
	}
	for rows.Next() {
		values, dest := make([]any, len(res.columns)), make([]any, len(res.columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return res, err
		}
		res.rows = append(res.rows, values)
	}
	return res, rows.Err()
}

// repeated gives a result again.
type repeated struct {
	result
	at int
}

func (r *repeated) Close() error                            { return nil }
func (r *repeated) ColumnTypes() ([]*sql.ColumnType, error) { return nil, errors.New("not kept") }
func (r *repeated) Columns() ([]string, error)              { return r.columns, nil }
func (r *repeated) Err() error                              { return nil }
func (r *repeated) NextResultSet() bool                     { return false }

func (r *repeated) Next() bool {
	r.at++
	return r.at < len(r.rows)
}

func (r *repeated) Scan(dest ...any) error {
	for i, d := range dest {
		v := r.rows[r.at][i]
		switch d := d.(type) {
		case sql.Scanner:
			if err := d.Scan(v); err != nil {
				return err
			}
		case *any:
			*d = v
		case *[]byte:
			switch v := v.(type) {
			case []byte:
				*d = v
			case string:
				*d = []byte(v)
			}
		default:
			return fmt.Errorf("scan into %T", d)
		}
	}
	return nil
}
