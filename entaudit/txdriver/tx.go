package txdriver

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"sync"

	"entgo.io/ent/dialect"
)

// Tx is a transaction of the caller's together with what it still has to write. It
// takes the place of the transaction in ent's client as soon as that has begun, so that
// nothing can commit past it, or end it unseen. One write of ent at a time runs on it.
type Tx struct {
	dialect.Tx
	dialect string

	use     sync.Mutex      // held by a write of ent, and by every other statement; guards what follows
	ended   bool            // committed or rolled back; what gathers now would never be written
	pending Pending         // nil until something is recorded
	ctx     context.Context // of what was recorded first, without its end
	spoiled error           // why it must not commit
	doubt   error           // of a statement that failed: what it has left of the transaction is to be asked
}

// NewTx returns tx, of a driver of the given dialect, with nothing to write.
func NewTx(name string, tx dialect.Tx) *Tx { return &Tx{Tx: tx, dialect: name} }

// gather returns what the transaction has to write, which is made where ctx is that of the
// first that is recorded.
func (t *Tx) gather(ctx context.Context, empty func() Pending) Pending {
	if t.pending == nil {
		t.pending, t.ctx = empty(), context.WithoutCancel(ctx)
		if failed := t.doubt; t.dialect != dialect.Postgres {
			t.doubt = nil
			_ = t.note(failed) // whose caller has been told
		}
	}
	return t.pending
}

// writeKey marks the context of a write that holds t.use, by *Tx.
type writeKey struct{}

// lock keeps other statements away, unless ctx is that of the write that does so
// already. It returns the way back.
func (t *Tx) lock(ctx context.Context) func() {
	if ctx.Value(writeKey{}) == t {
		return func() {}
	}
	t.use.Lock()
	return t.use.Unlock
}

// Exec implements dialect.Tx.
func (t *Tx) Exec(ctx context.Context, query string, args, v any) error {
	defer t.lock(ctx)()
	return t.note(t.Tx.Exec(ctx, query, args, v))
}

// Query implements dialect.Tx.
func (t *Tx) Query(ctx context.Context, query string, args, v any) error {
	defer t.lock(ctx)()
	return t.note(t.Tx.Query(ctx, query, args, v))
}

// ExecContext writes what is pending, so that a statement such as ROLLBACK TO
// SAVEPOINT takes the right entries along, and runs the statement.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error) {
	defer t.lock(ctx)()
	if err := t.flush(ctx, false); err != nil {
		return nil, err
	}
	res, err := execContext(ctx, t.Tx, "Tx", query, args)
	return res, t.raw(err)
}

// QueryContext writes what is pending and runs the query.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error) {
	defer t.lock(ctx)()
	if err := t.flush(ctx, false); err != nil {
		return nil, err
	}
	rows, err := queryContext(ctx, t.Tx, "Tx", query, args) //nolint:sqlclosecheck // the caller's
	return rows, t.raw(err)
}

// flush writes what is pending, or drops it where PostgreSQL has undone it: all of it
// is younger than the last statement of the caller's own, and so than any savepoint.
func (t *Tx) flush(ctx context.Context, last bool) error {
	switch {
	case t.pending == nil:
		return nil
	case t.doubt != nil && !t.alive(): //nolint:contextcheck // the transaction's
		t.pending.Drop()
		return nil
	}
	return t.note(t.pending.Flush(t.within(ctx), t.Tx, last))
}

// within returns ctx as one under which t is in use already: what is called on the way
// may record something with this very transaction.
func (t *Tx) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, writeKey{}, t)
}

// Use runs f, which makes statements of its own on the transaction, or has what it writes
// gather; empty makes a Pending where there is none yet. Once the transaction has ended it
// returns sql.ErrTxDone.
func (t *Tx) Use(ctx context.Context, empty func() Pending, f func(dialect.ExecQuerier, Pending) error) error {
	defer t.lock(ctx)()
	if t.ended {
		return stdsql.ErrTxDone
	}
	return t.note(f(t.Tx, t.gather(ctx, empty)))
}

// raw notes the outcome of a statement of the caller's own. When one succeeds on
// PostgreSQL, the transaction is as it should be: it may have rolled back to a savepoint.
func (t *Tx) raw(err error) error {
	if err == nil && t.dialect == dialect.Postgres {
		t.doubt = nil
	}
	return t.note(err)
}

// note looks what a failed statement has left of the transaction: PostgreSQL waits for
// a rollback; others may have rolled back all of it, and would take what comes next
// for a transaction of its own. Until something is recorded it does not matter.
func (t *Tx) note(err error) error {
	switch {
	case err == nil:
	case t.dialect == dialect.Postgres, t.pending == nil:
		t.doubt = err
	case !t.alive():
		t.pending.Drop()
		t.spoil(fmt.Errorf("the database has rolled back: %w", err))
	}
	return err
}

// alive asks the database whether the transaction is still there and, on PostgreSQL,
// takes further statements.
func (t *Tx) alive() bool {
	exec := func(query string) error { return t.Tx.Exec(t.ctx, query, []any{}, nil) }
	switch t.dialect {
	case dialect.Postgres:
		return exec("SELECT 1") == nil
	case dialect.SQLite:
		if exec("BEGIN") != nil {
			return true // there is one
		}
		return exec("ROLLBACK") != nil
	}
	return exec("SAVEPOINT entaudit_alive") == nil && exec("ROLLBACK TO SAVEPOINT entaudit_alive") == nil
}

// Commit writes what is pending and commits. When that fails, or a change in the
// transaction could not be recorded, everything is rolled back.
func (t *Tx) Commit() error {
	t.use.Lock()
	defer t.use.Unlock()
	t.ended = true
	err := t.doomed()
	if err == nil {
		err = t.flush(t.ctx, true)
	}
	if err != nil {
		if rerr := t.Tx.Rollback(); rerr != nil && !errors.Is(rerr, stdsql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
		t.done(false)
		return err
	}
	err = t.Tx.Commit()
	t.done(err == nil)
	return err
}

// Rollback drops what is pending and rolls back.
func (t *Tx) Rollback() error {
	t.use.Lock()
	defer t.use.Unlock()
	t.ended = true
	err := t.Tx.Rollback()
	t.done(false)
	return err
}

func (t *Tx) done(committed bool) {
	if t.pending != nil {
		t.pending.Done(t.within(t.ctx), committed)
	}
}

// spoil makes the transaction fail from now on, its commit above all.
func (t *Tx) spoil(err error) {
	if t.spoiled == nil {
		t.spoiled = err
	}
}

// doomed returns why the transaction must not go on, if so.
func (t *Tx) doomed() error {
	if t.spoiled == nil {
		return nil
	}
	return fmt.Errorf("entaudit: a change in this transaction could not be recorded: %w", t.spoiled)
}
