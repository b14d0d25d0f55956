package hook

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Begun returns what takes the place of tx, a transaction that a client with rec has begun
// and nobody else knows yet. It reports false where tx stays as it is.
func Begun(rec *entaudit.Recorder, name string, tx dialect.Tx) (dialect.Tx, bool) {
	if _, already := tx.(*txdriver.Tx); already || rec == nil || rec.Off() {
		return nil, false
	}
	return txdriver.NewTx(name, tx), true
}

// Bare returns the driver below those that log for debugging.
func Bare(drv dialect.Driver) dialect.Driver {
	for {
		d, ok := drv.(*dialect.DebugDriver)
		if !ok {
			return drv
		}
		drv = d.Driver
	}
}

var errNotBegun = errors.New("entaudit: this transaction did not begin with Tx or BeginTx of an audited client: " +
	"use Audited of its client")

// userTx returns the transaction of the caller's that drv runs in, or nil.
func userTx(drv dialect.Driver, g *Graph) (*txdriver.Tx, error) {
	tx := g.Tx(Bare(drv))
	if tx == nil {
		return nil, nil
	}
	if t, ok := tx.(*txdriver.Tx); ok {
		return t, nil
	}
	return nil, errNotBegun
}

// use runs f with the ledger of a transaction of the caller's.
func use(ctx context.Context, tx *txdriver.Tx, rec *entaudit.Recorder, name string, f func(dialect.ExecQuerier, *ledger) error) error {
	return tx.Use(ctx, func() txdriver.Pending { return newLedger(rec, name) }, func(q dialect.ExecQuerier, p txdriver.Pending) error {
		return f(q, p.(*ledger))
	})
}

// Record writes an entry of the program's own with the transaction that drv runs in:
// it is stored if and only if that commits. It fails where that has ended.
func Record(ctx context.Context, rec *entaudit.Recorder, g *Graph, drv dialect.Driver, e entaudit.Entry) error {
	if rec == nil {
		return fmt.Errorf("entaudit: record %q: the transaction's client has no recorder", e.Action)
	}
	if rec.Off() {
		return nil
	}
	tx, err := userTx(drv, g)
	switch {
	case err != nil:
		return err
	case tx == nil:
		return fmt.Errorf("entaudit: record %q: not a transaction of this client", e.Action)
	}
	n, err := rec.Prepare(ctx, e)
	if err != nil {
		return err
	}
	err = use(ctx, tx, rec, drv.Dialect(), func(q dialect.ExecQuerier, l *ledger) error { return l.add(ctx, q, n) })
	if errors.Is(err, stdsql.ErrTxDone) {
		err = fmt.Errorf("entaudit: record %q: %w", e.Action, err)
	}
	return err
}
