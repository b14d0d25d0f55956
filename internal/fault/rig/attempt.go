package main

import (
	"context"
	"errors"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit"
)

// attempt is what is known of an op while it runs: whether a COMMIT was answered with
// an error, after which nobody knows, and what the recorder made of its entry.
type attempt struct {
	mu       sync.Mutex
	inDoubt  bool
	recorded error
}

type attemptKey struct{}

func (a *attempt) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// doubt notes that nobody knows what became of the op.
func doubt(ctx context.Context) {
	if a, found := ctx.Value(attemptKey{}).(*attempt); found {
		a.mu.Lock()
		a.inDoubt = true
		a.mu.Unlock()
	}
}

// refused is the recorder's OnError: it notes the error of a request's entry, which the
// middleware does not return.
func refused(ctx context.Context, err error) error {
	if a, found := ctx.Value(attemptKey{}).(*attempt); found {
		a.mu.Lock()
		a.recorded = errors.Join(a.recorded, err)
		a.mu.Unlock()
	}
	return err
}

// outcome judges the error that an op ended with, and returns it with what the recorder
// said. An entry that the writer did not take may be stored all the same unless it says
// that it was not accepted.
func (a *attempt) outcome(k kind, err error, certain func(error) bool) (outcome, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k == request {
		err = errors.Join(err, a.recorded)
	}
	switch {
	case err == nil:
		return ok, nil
	case k.delivered() && !certain(err), a.inDoubt:
		return unknown, err
	}
	return failed, err
}

// watched is a driver whose transactions tell the attempt when a COMMIT fails.
type watched struct{ *entsql.Driver }

// Tx implements dialect.Driver.
func (w watched) Tx(ctx context.Context) (dialect.Tx, error) { return w.BeginTx(ctx, nil) }

// BeginTx is asserted by ent.
func (w watched) BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error) {
	tx, err := w.Driver.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return watchedTx{tx, ctx}, nil
}

type watchedTx struct {
	dialect.Tx
	ctx context.Context
}

// Commit implements dialect.Tx.
func (t watchedTx) Commit() error {
	err := t.Tx.Commit()
	if err != nil {
		doubt(t.ctx)
	}
	return err
}

// errorCode is the reason that a line may tell.
func errorCode(err error) string {
	if err == nil {
		return ""
	}
	return entaudit.ErrorCode(err)
}
