package txdriver

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// write is one write of ent while it runs.
type write struct {
	d       *Driver
	ctx     context.Context // what all statements run under
	lasting context.Context // the same without an end, in a transaction that is not the write's own
	tx      dialect.Tx
	pending Pending
	own     bool // the transaction was begun here
	alone   bool // and holds nothing but one statement of ent's
	now     bool // nobody will flush later: the caller's transaction is out of reach
	life    *lifetime
	broken  error // the first statement that failed
	unread  bool  // a statement may have run, and not all that it gave back was read
	refused error // a change stands that the scope knows nothing of
	over    bool
	inSQL   bool   // a statement runs
	inside  bool   // a call of this package runs: unwinding out of it abandons the write
	unlock  func() // lets others use the caller's transaction again
}

// begin opens the transaction and lets the scope read. entTx tells that ent itself
// asked for a transaction.
func (d *Driver) begin(ctx context.Context, entTx bool) (_ *write, err error) {
	d.used = true
	if d.user, err = d.find.Find(d.base); err != nil {
		return nil, err
	}
	w := &write{d: d, ctx: ctx}
	d.write = w
	w.inside = true
	defer w.unwound()
	if err := w.join(entTx); err != nil {
		w.over, w.inside = true, false
		w.release()
		return nil, err
	}
	err = d.scope.Begin(w.ctx, w.tx, w.pending) //nolint:contextcheck // ctx with an end of its own
	if err == nil {
		err = w.life.detach()
	}
	if err != nil {
		err = w.end(err)
	}
	w.inside = false
	return w, err
}

// join enters the caller's transaction, or opens one where there is none.
func (w *write) join(entTx bool) error {
	user := w.d.user
	if user == nil {
		w.pending = w.d.scope.Pending()
		return w.open(entTx)
	}
	w.unlock = user.lock(w.ctx)
	w.pending = user.gather(w.ctx, w.d.scope.Pending)
	if err := user.doomed(); err != nil {
		return err
	}
	w.ctx = context.WithValue(w.ctx, writeKey{}, user)
	w.lasting = context.WithoutCancel(w.ctx)
	return w.open(entTx)
}

// open begins a transaction, unless there is one of the caller's.
func (w *write) open(entTx bool) (err error) {
	q, direct := directly(w.d.base)
	switch {
	case w.d.user != nil && entTx:
		w.tx, err = w.d.base.Tx(w.ctx)
		return err
	case w.d.user != nil:
		w.tx = dialect.NopTx(w.d.base)
		return nil
	case direct && !entTx:
		if _, ok := q.(*stdsql.Tx); ok {
			w.now, w.tx, w.lasting = true, dialect.NopTx(w.d.base), context.WithoutCancel(w.ctx)
			return w.plain("SAVEPOINT entaudit_write")
		}
	}
	w.own, w.alone = true, !entTx
	w.life = newLifetime(w.ctx, w.d.grace)
	w.ctx = w.life.ctx
	if direct && !entTx {
		w.tx, err = beginOn(w.ctx, q, w.d.Dialect())
		return err
	}
	w.tx, err = w.d.base.Tx(w.ctx)
	return err
}

// plain runs a statement without arguments.
func (w *write) plain(query string) error { return w.tx.Exec(w.ctx, query, []any{}, nil) }

// release lets go of what a write and its scope hold.
func (w *write) release() {
	w.life.end()
	if c, ok := w.d.scope.(closer); ok {
		_ = c.Close() // the write has ended: what becomes of its memory changes nothing for the caller
	}
	if w.unlock != nil {
		w.unlock()
		w.unlock = nil
	}
}

// unwound abandons the write when a panic or Goexit unwinds a call of this package.
func (w *write) unwound() {
	if !w.inside {
		return
	}
	w.inside = false
	switch {
	case w.tx == nil: // ent cannot begin a transaction there, and panics
		w.over = true
		w.release()
		return
	case !w.inSQL:
		w.abandon()
		return
	}
	// A value's own method has panicked inside database/sql, which still holds a lock of
	// the transaction: a rollback would wait for it, perhaps for ever.
	w.over = true
	if w.d.user != nil {
		w.d.user.spoil(errAbandoned)
	}
	go func(tx dialect.Tx) { _ = tx.Rollback() }(w.tx) // the panic is what the caller sees
	w.release()
}

// guard runs f, and abandons the write when a panic or Goexit unwinds it.
func (w *write) guard(f func() error) error {
	w.inside = true
	defer w.unwound()
	err := f()
	w.inside = false
	return err
}

// exec runs one of ent's statements.
func (w *write) exec(query string, args, v any) error {
	return w.attempt(query, true, func(s Statement) error {
		res, err := w.result(s, args)
		if r, ok := v.(*stdsql.Result); ok && err == nil {
			*r = res
		}
		return err
	})
}

// result runs a statement and returns what ent is told of it.
func (w *write) result(s Statement, args any) (res stdsql.Result, err error) {
	if s.Row != nil {
		var n int64
		if _, n, err = w.collect(s, args); err != nil {
			return nil, err
		}
		res = affected(n)
	} else {
		w.inSQL = true
		err = w.tx.Exec(w.ctx, s.Query, args, &res)
		w.inSQL = false
		if err != nil {
			return nil, w.broke(err)
		}
	}
	if s.Result != nil {
		if err := s.Result(res); err != nil {
			return nil, w.refuse(err)
		}
	}
	return res, nil
}

// collect runs a statement whose rows are all the scope's and returns their columns and
// number.
func (w *write) collect(s Statement, args any) (columns []string, n int64, err error) {
	var rows sql.Rows
	w.inSQL = true
	err = w.tx.Query(w.ctx, s.Query, args, &rows)
	w.inSQL = false
	if err != nil {
		return nil, 0, w.broke(err)
	}
	defer func() {
		if cerr := rows.Close(); err == nil && cerr != nil {
			err = w.lost(s, cerr)
		}
	}()
	if columns, err = rows.Columns(); err != nil {
		return nil, 0, w.lost(s, err)
	}
	for rows.Next() {
		values, err := scanAll(rows, len(columns))
		if err != nil {
			return nil, 0, w.lost(s, err)
		}
		if err := s.Row(columns, values); err != nil {
			return nil, 0, w.refuse(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return nil, 0, w.lost(s, err)
	}
	return columns, n, nil
}

// query runs one of ent's queries. Where end is set it is called once the rows are
// exhausted.
func (w *write) query(query string, args, v any, end func(error) error) error {
	out, ok := v.(*sql.Rows)
	if !ok {
		return fmt.Errorf("dialect/sql: invalid type %T. expect *sql.Rows", v)
	}
	again := false
	err := w.attempt(query, false, func(s Statement) error {
		if again = s.Again; again {
			return w.keep(s, args, out)
		}
		return w.stream(s, args, out, end)
	})
	if err == nil && again && end != nil {
		err = end(nil)
	}
	return err
}

// stream runs a query whose rows ent sees as they come.
func (w *write) stream(s Statement, args any, out *sql.Rows, end func(error) error) error {
	var in sql.Rows
	w.inSQL = true
	err := w.tx.Query(w.ctx, s.Query, args, &in)
	w.inSQL = false
	if err != nil {
		return w.broke(err)
	}
	if s.Row == nil && end == nil {
		*out = in
		return nil
	}
	r, err := newRows(in.ColumnScanner, s, w, end)
	if err != nil {
		return w.lost(s, errors.Join(err, in.Close()))
	}
	*out = sql.Rows{ColumnScanner: r}
	return nil
}

func (w *write) broke(err error) error {
	if w.broken == nil {
		w.broken = err
	}
	return err
}

// lost notes that what a statement gave back could not be read to its end.
func (w *write) lost(s Statement, err error) error {
	w.unread = w.unread || !strings.HasPrefix(s.Query, "SELECT")
	return w.broke(err)
}

// refuse notes that the scope could not take what a statement did.
func (w *write) refuse(err error) error {
	w.refused = err
	return err
}

// end lets the scope finish and commits, or undoes the write where it failed.
func (w *write) end(failed error) error {
	if w.over {
		return failed
	}
	if failed == nil {
		if failed = w.d.scope.End(w.ctx, w.tx, w.pending, nil); failed == nil {
			return w.commit()
		}
		w.refused = failed
	}
	if err := w.undo(failed); err != nil {
		return fmt.Errorf("%w: %w", failed, err)
	}
	return failed
}

func (w *write) commit() error {
	w.over = true
	defer w.release()
	if w.d.user != nil {
		return w.tx.Commit() // ent's own, which does nothing in a transaction of the caller's
	}
	err := w.pending.Flush(w.ctx, w.tx, true)
	if err == nil && w.own {
		err = resetVars(w.ctx, w.tx, w.d.Dialect())
	}
	if err != nil {
		if rerr := w.rollback(); rerr != nil {
			err = fmt.Errorf("%w: %w", err, rerr)
		}
		return err
	}
	if w.now {
		err = w.plain("RELEASE SAVEPOINT entaudit_write") // nobody tells of the commit
	} else {
		err = w.tx.Commit()
	}
	w.pending.Done(w.ctx, err == nil)
	return err
}

// entTx is the transaction that ent asked for itself.
type entTx struct{ w *write }

func (t entTx) Exec(_ context.Context, query string, args, v any) error {
	return t.w.guard(func() error { return t.w.exec(query, args, v) })
}

func (t entTx) Query(_ context.Context, query string, args, v any) error {
	return t.w.guard(func() error { return t.w.query(query, args, v, nil) })
}

func (t entTx) Commit() error {
	return t.w.guard(func() error { return t.w.end(nil) })
}

// Rollback is called by ent with an error at hand that it returns itself.
func (t entTx) Rollback() error { return t.w.undo(errRolledBack) }

// affected is the result of a statement that ran as a query.
type affected int64

func (affected) LastInsertId() (int64, error) {
	return 0, errors.New("entaudit: no last insert id")
}

func (n affected) RowsAffected() (int64, error) { return int64(n), nil }
