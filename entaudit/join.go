package entaudit

import (
	"context"
	"reflect"
)

// Joiner is a transaction that entries can be written with: the type Tx of an audited
// client.
type Joiner interface {
	// Record writes an entry that is stored if and only if the transaction commits. It
	// returns an error where it has ended.
	Record(ctx context.Context, e Entry) error
}

// InTx returns a context in which [Recorder.Record] and [Recorder.Log] write with tx, by
// tx's own recorder: such entries commit and roll back with it. It belongs beside
// ent's NewTxContext, so that a function that records something need not know whether
// there is a transaction. A nil tx makes what runs under the context independent again.
func InTx(ctx context.Context, tx Joiner) context.Context {
	if v := reflect.ValueOf(tx); v.Kind() == reflect.Pointer && v.IsNil() {
		tx = nil // what ent's TxFromContext returns where there is none
	}
	o := originFrom(ctx)
	o.tx = tx
	return o.in(ctx)
}
