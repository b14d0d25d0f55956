package torture_test

import (
	"context"
	"database/sql"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// statementLog notes statements. It is safe for concurrent use.
type statementLog struct {
	mu         sync.Mutex
	statements []string
	after      func(query string) // called after a statement, if set
}

func (l *statementLog) done(query string) {
	l.mu.Lock()
	after := l.after
	l.mu.Unlock()
	if after != nil {
		after(query)
	}
}

// onStatement has f called after each statement from now on.
func (c *counter) onStatement(f func(query string)) {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.log.after = f
}

func (l *statementLog) add(query string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statements = append(l.statements, query)
}

// counter is a driver that notes the statements that pass through it.
type counter struct {
	dialect.Driver
	log statementLog
}

// count returns the statements that f makes, without BEGIN, COMMIT and ROLLBACK.
func (c *counter) count(f func()) []string {
	c.log.mu.Lock()
	from := len(c.log.statements)
	c.log.mu.Unlock()
	f()
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return append([]string(nil), c.log.statements[from:]...)
}

func (c *counter) Exec(ctx context.Context, query string, args, v any) error {
	c.log.add(query)
	defer c.log.done(query)
	return c.Driver.Exec(ctx, query, args, v)
}

func (c *counter) Query(ctx context.Context, query string, args, v any) error {
	c.log.add(query)
	defer c.log.done(query)
	return c.Driver.Query(ctx, query, args, v)
}

func (c *counter) Tx(ctx context.Context) (dialect.Tx, error) { return c.BeginTx(ctx, nil) }

func (c *counter) BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error) {
	tx, err := c.Driver.(*entsql.Driver).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &counterTx{Tx: tx, log: &c.log}, nil
}

func (c *counter) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Driver.(*entsql.Driver).ExecContext(ctx, query, args...)
}

func (c *counter) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Driver.(*entsql.Driver).QueryContext(ctx, query, args...)
}

type counterTx struct {
	dialect.Tx
	log *statementLog
}

func (c *counterTx) Exec(ctx context.Context, query string, args, v any) error {
	c.log.add(query)
	defer c.log.done(query)
	return c.Tx.Exec(ctx, query, args, v)
}

func (c *counterTx) Query(ctx context.Context, query string, args, v any) error {
	c.log.add(query)
	defer c.log.done(query)
	return c.Tx.Query(ctx, query, args, v)
}

func (c *counterTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Tx.(*entsql.Tx).ExecContext(ctx, query, args...)
}

func (c *counterTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Tx.(*entsql.Tx).QueryContext(ctx, query, args...)
}
