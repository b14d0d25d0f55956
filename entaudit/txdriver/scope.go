// Package txdriver runs one write of ent, and what has to surround it, in one
// transaction.
//
// A [Driver] takes the place of a builder's driver for one execution. With the
// first call that ent makes on it a transaction begins (or the caller's is used),
// the [Scope] reads what it needs, ent's statements run, the Scope reads again,
// and what has gathered is written before the commit. Then the Driver is
// transparent: everything passes to the driver it was made from.
package txdriver

import (
	"context"
	stdsql "database/sql"
	"errors"

	"entgo.io/ent/dialect"
)

// Scope surrounds one write of ent. Its methods are called in order from the
// goroutine of that write: Begin, Statement for each of ent's statements, End at
// most once. Begin is called again where a write starts over (see [ErrStale]). An error
// of Begin or End is what ent sees, and undoes the write.
//
// A Scope that holds more than memory also has Close() error. It is called whenever a
// write has ended, with or without End or even Begin, and again after a write that
// started over, so it must be idempotent. Its error is dropped: the write is over, and
// what End needs to report it returns itself.
type Scope interface {
	// Begin runs in the transaction before ent's first statement.
	Begin(ctx context.Context, tx dialect.ExecQuerier, p Pending) error
	// Statement says how one of ent's statements is run. exec tells Exec from
	// Query.
	Statement(query string, exec bool) Statement
	// End runs after ent's last statement and hands to p what is to be written
	// before the commit. failed is the error that ent met: End is called with one
	// only where what was written before it may stand, which is in a transaction
	// of the caller's. ctx does not end then: its end may be what failed.
	End(ctx context.Context, tx dialect.ExecQuerier, p Pending, failed error) error
	// Pending returns an empty Pending for a transaction of this write's own.
	Pending() Pending
}

// closer is a [Scope] that holds what a garbage collector would be late to give back.
type closer interface{ Close() error }

// ErrStale is what Row, Result and After return, wrapped, when a statement reached rows
// that Begin did not read, because others changed them in between. A write that is one
// statement in a transaction of its own is then undone and begun again, and so is a
// statement with Again wherever it runs.
var ErrStale = errors.New("rows were changed by others meanwhile")

// Pending is what a transaction still has to write before it commits.
type Pending interface {
	// Flush writes what has gathered. It is called before statements that ent does
	// not make itself and, with last set, before the commit.
	Flush(ctx context.Context, tx dialect.ExecQuerier, last bool) error
	// Drop forgets what has gathered: the database has undone it. The transaction
	// is still open.
	Drop()
	// Done is called once the transaction has ended.
	Done(ctx context.Context, committed bool)
}

// Statement is how one statement of ent's is run.
type Statement struct {
	// Before, if set, runs before the statement. Its error is what ent sees.
	Before func(ctx context.Context, tx dialect.ExecQuerier) error
	// Query is the text to run.
	Query string
	// Row receives the values of every row that the statement returns. Set for
	// an Exec it makes the statement run as a query, and ent is told the number
	// of rows as affected.
	Row func(columns []string, values []any) error
	// Extra is the number of trailing columns that ent did not ask for and does
	// not get to see.
	Extra int
	// Result receives the result of an Exec, after its rows.
	Result func(stdsql.Result) error
	// After, if set, runs after the statement and its rows.
	After func(ctx context.Context, tx dialect.ExecQuerier) error
	// Again is set for the first statement of a write that [ErrStale] is a usual
	// outcome of. In a transaction that holds more than this write a savepoint is put
	// around it, so that it can be begun again there as well. The rows of a query are
	// all read before ent gets to see the first.
	Again bool
}
