package hook

import (
	"context"
	"database/sql"
	"errors"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/privacy"

	"github.com/entaudit/audit/entaudit"
)

// Attempt is a mutation that did not succeed.
type Attempt struct {
	Mutation Mutation
	Schema   *Schema
	Recorder *entaudit.Recorder
	Driver   dialect.Driver
	ID       any    // of the row, nil where it is not one row or not known
	Reason   string // what ent makes of the error, empty where it is none of its own
}

// reasons of failed mutations that are not ent's.
const (
	reasonPolicy     = "policy"
	reasonCanceled   = "canceled"
	reasonTimeout    = "timeout"
	reasonConcurrent = "concurrent"
	reasonPanic      = "panic"
	reasonError      = "error"
)

var errUnwound = errors.New("the mutation panicked")

// failures reports whether the recorder of a mutation records those that fail.
func failures(m ent.Mutation) bool {
	r, ok := m.(interface{ EntAuditRecorder() *entaudit.Recorder })
	if !ok {
		return false
	}
	rec := r.EntAuditRecorder()
	return rec != nil && rec.Config().Failures
}

// Failed records a mutation that did not succeed where the recorder is set to. It
// returns err as it is to be returned.
func Failed(ctx context.Context, a Attempt, err error) error {
	rec := a.Recorder
	if rec == nil || !rec.RecordsChanges() || !rec.Config().Failures {
		return err
	}
	creates := a.Mutation.Op().Is(ent.OpCreate)
	if _, skipped := entaudit.SkipFrom(ctx); skipped || creates && errors.Is(err, sql.ErrNoRows) {
		return err // an upsert that leaves the row as it is has not failed
	}
	if before, ok := err.(*told); ok && creates && before.typ == a.Schema { //nolint:errorlint // a hook that wraps it means another mutation
		return err
	}
	e := rec.NewEntry(entaudit.KindMutation, rec.Origin(ctx))
	e.Operation = operationOf((*a.Mutation.EntAuditIntent()).asked)
	e.Action = a.Schema.Resource + "." + string(e.Operation)
	e.Outcome, e.Reason = verdict(a.Reason, err)
	e.Resource.Type = a.Schema.Resource
	if a.ID != nil && len(a.Schema.ID) == 1 {
		e.Resource.ID = idText(a.Schema.ID[0].Kind, plainValue(a.ID))
	}
	e.CauseID = (*a.Mutation.EntAuditIntent()).causeID()
	rec.Finish(&e)
	if !waits(ctx, a, e) {
		if derr := rec.Deliver(ctx, e); derr != nil {
			err = errors.Join(err, derr)
		}
	}
	if creates {
		err = &told{err, a.Schema}
	}
	return err
}

// waits reports whether e waits for the end of the caller's transaction: there is one, and
// it has not ended.
func waits(ctx context.Context, a Attempt, e entaudit.Entry) bool {
	tx, err := userTx(a.Driver, a.Schema.Graph)
	if err != nil || tx == nil {
		return false
	}
	return nil == use(ctx, tx, a.Recorder, a.Driver.Dialect(), func(_ dialect.ExecQuerier, l *ledger) error {
		l.later(e)
		return nil
	})
}

// told is an error whose mutation is recorded. The hooks of a bulk insert are nested:
// those of every builder see the error of one of them.
type told struct {
	error
	typ *Schema
}

// Unwrap returns the error itself.
func (t *told) Unwrap() error { return t.error }

// verdict returns the outcome of a mutation that failed with err, and the reason.
func verdict(reason string, err error) (entaudit.Outcome, string) {
	switch {
	case errors.Is(err, privacy.Deny):
		return entaudit.Denied, reasonPolicy
	case errors.Is(err, errUnwound):
		return entaudit.Aborted, reasonPanic
	case errors.Is(err, context.Canceled):
		return entaudit.Aborted, reasonCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return entaudit.Aborted, reasonTimeout
	case errors.Is(err, entaudit.ErrConcurrent):
		return entaudit.Failure, reasonConcurrent
	case reason != "":
		return entaudit.Failure, reason
	}
	return entaudit.Failure, reasonError
}

// operationOf returns the operation that a caller asked ent for.
func operationOf(op ent.Op) entaudit.Operation {
	switch {
	case op.Is(ent.OpCreate):
		return entaudit.OpCreate
	case op.Is(ent.OpDelete | ent.OpDeleteOne):
		return entaudit.OpDelete
	}
	return entaudit.OpUpdate
}

// later keeps an entry until the transaction has ended.
func (l *ledger) later(e entaudit.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.after = append(l.after, e)
}
