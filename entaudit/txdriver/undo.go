package txdriver

import (
	stdsql "database/sql"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
)

// undo ends a write that failed. It returns what goes wrong with that.
func (w *write) undo(failed error) error {
	if w.over {
		return nil
	}
	w.over = true
	defer w.release()
	user := w.d.user
	if user == nil {
		return w.rollback()
	}
	var err error
	switch {
	case w.refused != nil:
		user.spoil(w.refused)
	case !w.stands():
	case w.unread:
		// The scope does not know which rows that statement has written.
		user.spoil(w.broken)
	default:
		// What was written before the failure stands if the caller commits all the same. It
		// is often the end of the context that made the write fail.
		if err = w.d.scope.End(w.lasting, w.tx, w.pending, failed); err != nil {
			user.spoil(err)
		}
	}
	return errors.Join(err, w.tx.Rollback())
}

// stands reports whether what was written in the caller's transaction before a failure
// can still be committed. A statement that fails in the database aborts the transaction
// on PostgreSQL and may cost MySQL and SQLite all of it; one that never got there, as
// where its context had ended or an argument could not be encoded, leaves it as it was.
func (w *write) stands() bool {
	user := w.d.user
	switch {
	case w.broken == nil:
	case w.d.Dialect() == dialect.Postgres:
		if !user.alive() {
			return false
		}
	default:
		_ = user.note(w.broken) // what it returns is the caller's already
	}
	return user.doomed() == nil
}

// rollback undoes the write, in a transaction of its own or back to its savepoint.
func (w *write) rollback() error {
	w.pending.Done(w.ctx, false)
	if w.now {
		// The caller may commit even where the end of the context is what failed.
		return w.tx.Exec(w.lasting, "ROLLBACK TO SAVEPOINT entaudit_write", []any{}, nil)
	}
	var err error
	if w.d.Dialect() == dialect.MySQL {
		// A rollback does not undo SET there.
		err = resetVars(w.ctx, w.tx, dialect.MySQL)
	}
	if rerr := w.tx.Rollback(); rerr != nil && !errors.Is(rerr, stdsql.ErrTxDone) {
		err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
	}
	return err
}

var (
	errAbandoned  = errors.New("entaudit: the write was abandoned")
	errRolledBack = errors.New("entaudit: rolled back")
)

// abandon undoes a write that has not ended, as after a panic or Goexit.
func (w *write) abandon() {
	if !w.over {
		// The panic, or ent's own error, is what the caller sees.
		_ = w.undo(errAbandoned)
	}
}
