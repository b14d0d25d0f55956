package txdriver

import (
	"errors"

	"entgo.io/ent/dialect"
)

// attempt runs one of ent's statements with what the scope puts around it, as often as
// it takes where it can be begun again.
func (w *write) attempt(query string, exec bool, run func(Statement) error) error {
	for n := 1; ; n++ {
		s := w.d.scope.Statement(query, exec)
		if !s.Again || w.alone {
			return w.surround(s, run)
		}
		if err := w.plain("SAVEPOINT entaudit_attempt"); err != nil {
			return w.broke(err)
		}
		err := w.surround(s, run)
		if !errors.Is(err, ErrStale) || n == maxAttempts {
			return w.settle(err)
		}
		if err := w.restart(); err != nil {
			return w.refuse(err)
		}
	}
}

// surround runs a statement between what the scope reads before and after it.
func (w *write) surround(s Statement, run func(Statement) error) error {
	if s.Before != nil {
		if err := s.Before(w.ctx, w.tx); err != nil {
			return w.broke(err)
		}
	}
	if err := run(s); err != nil || s.After == nil {
		return err
	}
	if err := s.After(w.ctx, w.tx); err != nil {
		return w.refuse(err)
	}
	return nil
}

// settle removes the savepoint of a statement that has run or, as err says, failed.
// PostgreSQL keeps it after a failure: it takes nothing but a rollback then.
func (w *write) settle(err error) error {
	if err != nil && w.d.Dialect() == dialect.Postgres {
		return err
	}
	rerr := w.plain("RELEASE SAVEPOINT entaudit_attempt")
	if err == nil && rerr != nil {
		return w.broke(rerr)
	}
	return err // the first: with it the database may have dropped the savepoint
}

// restart undoes a statement and lets the scope read again.
func (w *write) restart() error {
	if err := w.plain("ROLLBACK TO SAVEPOINT entaudit_attempt"); err != nil {
		return err
	}
	w.refused = nil
	if err := w.plain("RELEASE SAVEPOINT entaudit_attempt"); err != nil {
		return err
	}
	return w.d.scope.Begin(w.ctx, w.tx, w.pending)
}
