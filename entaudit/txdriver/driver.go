package txdriver

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Driver is a dialect.Driver for one write of ent. It is used by one goroutine.
type Driver struct {
	base  dialect.Driver
	find  Finder
	user  *Tx // the caller's transaction, nil where there is none
	scope Scope
	grace time.Duration
	used  bool
	write *write
}

var _ dialect.Driver = (*Driver)(nil)

// Finder knows the transactions of the caller's.
type Finder interface {
	// Find returns the transaction that drv runs in, nil where there is none, or an
	// error where there is one that nothing can be written with.
	Find(drv dialect.Driver) (*Tx, error)
}

// New returns a Driver that runs the next write of ent on base within s. grace is how
// long a transaction of the write's own may go on after its context has ended, once
// it has begun to write.
func New(base dialect.Driver, find Finder, grace time.Duration, s Scope) *Driver {
	return &Driver{base: Base(base), find: find, grace: grace, scope: s}
}

// Base returns the driver that drv was made from, or drv itself where it is not a
// [Driver].
func Base(drv dialect.Driver) dialect.Driver {
	for {
		d, ok := drv.(*Driver)
		if !ok {
			return drv
		}
		drv = d.base
	}
}

// maxAttempts is how often a write is begun in all when others keep changing its rows.
const maxAttempts = 10

// Exec implements dialect.Driver. It is the whole write, or passes through.
func (d *Driver) Exec(ctx context.Context, query string, args, v any) error {
	if d.used {
		return d.base.Exec(ctx, query, args, v)
	}
	return d.whole(ctx, func(w *write) error { return w.end(w.exec(query, args, v)) })
}

// Query implements dialect.Driver. It is the whole write, which ends when the rows
// are exhausted, or passes through.
func (d *Driver) Query(ctx context.Context, query string, args, v any) error {
	if d.used {
		return d.base.Query(ctx, query, args, v)
	}
	return d.whole(ctx, func(w *write) error {
		err := w.query(query, args, v, w.end)
		if err != nil {
			err = w.end(err)
		}
		return err
	})
}

// whole runs a write that is one statement, again where it was undone because others
// had changed its rows.
func (d *Driver) whole(ctx context.Context, run func(*write) error) error {
	for attempt := 1; ; attempt++ {
		w, err := d.begin(ctx, false)
		if err != nil {
			return err
		}
		err = w.guard(func() error { return run(w) })
		if !w.own || !errors.Is(err, ErrStale) || attempt == maxAttempts {
			return err
		}
	}
}

// Tx implements dialect.Driver. Its Commit ends the write.
func (d *Driver) Tx(ctx context.Context) (dialect.Tx, error) {
	if d.used {
		return d.base.Tx(ctx)
	}
	w, err := d.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	return entTx{w}, nil
}

// Dialect implements dialect.Driver.
func (d *Driver) Dialect() string { return d.base.Dialect() }

// Close implements dialect.Driver.
func (d *Driver) Close() error { return d.base.Close() }

// Abandon undoes a write that has begun and not ended, as after a panic in the
// middle of it. It does nothing otherwise.
func (d *Driver) Abandon() {
	if d.write != nil {
		d.write.abandon()
	}
}

// BeginTx passes to the driver below.
func (d *Driver) BeginTx(ctx context.Context, opts *sql.TxOptions) (dialect.Tx, error) {
	drv, ok := d.base.(interface {
		BeginTx(context.Context, *sql.TxOptions) (dialect.Tx, error)
	})
	if !ok {
		return nil, errors.New("Driver.BeginTx is not supported")
	}
	return drv.BeginTx(ctx, opts)
}

// ExecContext passes to the driver below.
func (d *Driver) ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error) {
	return execContext(ctx, d.base, "Driver", query, args)
}

// QueryContext passes to the driver below.
func (d *Driver) QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error) {
	return queryContext(ctx, d.base, "Driver", query, args)
}

func execContext(ctx context.Context, on any, what, query string, args []any) (stdsql.Result, error) {
	ex, ok := on.(interface {
		ExecContext(context.Context, string, ...any) (stdsql.Result, error)
	})
	if !ok {
		return nil, fmt.Errorf("%s.ExecContext is not supported", what)
	}
	return ex.ExecContext(ctx, query, args...)
}

func queryContext(ctx context.Context, on any, what, query string, args []any) (*stdsql.Rows, error) {
	q, ok := on.(interface {
		QueryContext(context.Context, string, ...any) (*stdsql.Rows, error)
	})
	if !ok {
		return nil, fmt.Errorf("%s.QueryContext is not supported", what)
	}
	return q.QueryContext(ctx, query, args...)
}

// directly returns what drv runs its statements on, where that is a connection or
// transaction of the caller's (entsql.Conn{ExecQuerier: tx}): ent cannot begin a
// transaction there.
func directly(drv dialect.Driver) (sql.ExecQuerier, bool) {
	for {
		switch d := drv.(type) {
		case *dialect.DebugDriver:
			drv = d.Driver
		case *sql.Driver:
			_, pool := d.ExecQuerier.(*stdsql.DB)
			return d.ExecQuerier, !pool
		default:
			return nil, false
		}
	}
}

// beginOn begins a transaction on a connection of the caller's.
func beginOn(ctx context.Context, q sql.ExecQuerier, name string) (dialect.Tx, error) {
	c, ok := q.(interface {
		BeginTx(context.Context, *stdsql.TxOptions) (*stdsql.Tx, error)
	})
	if !ok {
		return nil, fmt.Errorf("entaudit: a client on %T cannot be audited: it has no BeginTx, and is no *sql.Tx", q)
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return directTx{Driver: sql.NewDriver(name, sql.Conn{ExecQuerier: tx}), tx: tx}, nil
}

// directTx is a transaction on a connection of the caller's.
type directTx struct {
	*sql.Driver
	tx *stdsql.Tx
}

func (t directTx) Commit() error   { return t.tx.Commit() }
func (t directTx) Rollback() error { return t.tx.Rollback() }
