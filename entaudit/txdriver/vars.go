package txdriver

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// resetVars undoes the session variables that ent sets for the statements of ctx
// (sql.WithVar). ent does so itself only where it took the connection from the pool
// itself.
func resetVars(ctx context.Context, tx dialect.ExecQuerier, name string) error {
	if !hasVars(ctx, name) {
		return nil
	}
	statements, err := resets(ctx, name)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if err := tx.Exec(withoutValues{ctx}, s, []any{}, nil); err != nil { //nolint:contextcheck // ctx without its variables
			return err
		}
	}
	return nil
}

// withoutValues is a context that has a parent's lifetime and none of its values.
type withoutValues struct{ context.Context }

func (withoutValues) Value(any) any { return nil }

// hasVars reports whether ent sets variables under ctx. ent looks for them before it
// uses its connection: with any, it never reaches the probe.
func hasVars(ctx context.Context, name string) bool {
	p := &probe{}
	func() {
		// Without a connection to set them on, ent calls a method of nil.
		defer func() { _ = recover() }() // the panic is the answer
		// The probe has no error to return.
		_ = sql.NewDriver(name, sql.Conn{ExecQuerier: p}).Exec(ctx, "", []any{}, nil)
	}()
	return !p.reached
}

type probe struct{ reached bool }

func (p *probe) ExecContext(context.Context, string, ...any) (stdsql.Result, error) {
	p.reached = true
	return driver.RowsAffected(0), nil
}

func (p *probe) QueryContext(context.Context, string, ...any) (*stdsql.Rows, error) {
	return nil, errors.New("entaudit: probe")
}

// resets returns the statements with which ent resets the variables of ctx: it lets
// ent run a statement on a connection that only notes what it is told.
func resets(ctx context.Context, name string) ([]string, error) {
	n := &notes{}
	db := stdsql.OpenDB(n)
	err := sql.OpenDB(name, db).Exec(ctx, marker, []any{}, nil)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	for i, s := range n.statements {
		if s == marker {
			return n.statements[i+1:], nil
		}
	}
	return nil, nil
}

const marker = "entaudit: what follows resets"

// notes is a database/sql connector, connection and statement in one that notes what
// it is told to execute.
type notes struct{ statements []string }

func (n *notes) Connect(context.Context) (driver.Conn, error) { return n, nil }
func (n *notes) Driver() driver.Driver                        { return nil }
func (n *notes) Close() error                                 { return nil }
func (n *notes) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }

func (n *notes) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

func (n *notes) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	n.statements = append(n.statements, query)
	return driver.RowsAffected(0), nil
}
