package compat_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"maps"
	"sync"
)

// trace counts what passes through the connections of a pool.
type trace struct {
	mu    sync.Mutex
	count map[string]int
}

func (t *trace) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = make(map[string]int)
	}
	t.count[name]++
}

func (t *trace) counts() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.count)
}

// connector opens connections and wraps them.
type connector struct {
	driver driver.Driver
	dsn    string
	wrap   func(driver.Conn) driver.Conn
}

// openWrapped returns a pool like db whose connections are wrapped.
func openWrapped(db *sql.DB, dsn string, wrap func(driver.Conn) driver.Conn) *sql.DB {
	return sql.OpenDB(connector{db.Driver(), dsn, wrap})
}

func (c connector) Driver() driver.Driver { return c.driver }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return c.wrap(conn), nil
}

// tracedConn has all that a connection may have, as tracing drivers do, and leaves to
// database/sql what the one inside lacks.
type tracedConn struct {
	driver.Conn
	*trace
}

func (c tracedConn) Ping(ctx context.Context) error {
	c.add("ping")
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c tracedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	e, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	c.add("exec")
	return e.ExecContext(ctx, query, args)
}

func (c tracedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	q, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	c.add("query")
	return q.QueryContext(ctx, query, args)
}

func (c tracedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.add("prepare")
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}

func (c tracedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.add("begin")
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return tracedTx{tx, c.trace}, nil
}

func (c tracedConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c tracedConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (c tracedConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type tracedTx struct {
	driver.Tx
	*trace
}

func (t tracedTx) Commit() error {
	t.add("commit")
	return t.Tx.Commit()
}

func (t tracedTx) Rollback() error {
	t.add("rollback")
	return t.Tx.Rollback()
}

// bareConn has nothing but what a connection must have: database/sql then prepares
// every statement.
type bareConn struct{ conn driver.Conn }

func (c bareConn) Prepare(query string) (driver.Stmt, error) { return c.conn.Prepare(query) }
func (c bareConn) Close() error                              { return c.conn.Close() }

func (c bareConn) Begin() (driver.Tx, error) {
	return c.conn.(driver.ConnBeginTx).BeginTx(context.Background(), driver.TxOptions{})
}
