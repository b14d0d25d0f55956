package hook

import (
	"context"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// Raw notes that the caller runs a statement of his own on drv: nothing tells what it
// changes, and the entries of its transaction say so.
func Raw(ctx context.Context, rec *entaudit.Recorder, g *Graph, drv dialect.Driver) {
	if rec == nil || !rec.RecordsChanges() {
		return
	}
	tx, err := userTx(drv, g)
	if err != nil || tx == nil {
		return
	}
	// Where the transaction has ended, the statement itself says so.
	_ = use(ctx, tx, rec, drv.Dialect(), func(_ dialect.ExecQuerier, l *ledger) error {
		l.noteRaw()
		return nil
	})
}

func (l *ledger) noteRaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw++
	l.unsaid = l.unsaid || l.raw == 1 && l.seq > 0
}

// rawEntry returns the entry that says of those made before the first statement of the
// caller's own, which carry no mark, that there was one. l.mu is held.
func (l *ledger) rawEntry(ctx context.Context) entaudit.Entry {
	e := l.rec.NewEntry(entaudit.KindSystem, l.rec.Origin(ctx))
	e.Action, e.Operation, e.Outcome = "audit.raw_sql", entaudit.OpRawSQL, entaudit.Success
	e.Metadata = map[string]any{"statements": l.raw}
	l.seq++
	e.TxID, e.TxSeq = l.tx, l.seq
	l.rec.Finish(&e)
	return e
}
