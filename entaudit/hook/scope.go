package hook

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// scope is what the scopes of all operations share: one mutation of one schema while
// it runs.
type scope struct {
	in      *Intent
	p       *plan
	dialect string
	schema  string // of the table in the database
	begun   bool
	of      func(string) string // Client.SchemaOf
	reach   reach
	entries []entaudit.Entry
}

func newScope(c Client, in *Intent, s *Schema) scope {
	return scope{in: in, p: planOf(in.rec, s), dialect: (*c.Driver).Dialect(), of: c.SchemaOf}
}

// Pending implements txdriver.Scope.
func (s *scope) Pending() txdriver.Pending { return newLedger(s.in.rec, s.dialect) }

// returns reports whether the database gives back what a statement wrote.
func (s *scope) returns() bool { return s.dialect != dialect.MySQL }

func (s *scope) table() *sql.SelectTable {
	return sql.Dialect(s.dialect).Table(s.p.Table).Schema(s.schema)
}

// tableOf returns a table of the graph.
func (s *scope) tableOf(t *Schema) *sql.SelectTable {
	return sql.Dialect(s.dialect).Table(t.Table).Schema(s.schemaOf(t))
}

// schemaOf returns the schema of the database that a table of the graph is in.
func (s *scope) schemaOf(t *Schema) string {
	switch {
	case t == s.p.Schema:
		return s.schema
	case s.of == nil:
		return ""
	}
	return s.of(t.Config)
}

// quoted returns the table as it stands in a statement.
func (s *scope) quoted() string {
	t := s.quote(s.p.Table)
	if s.schema != "" {
		t = s.quote(s.schema) + "." + t
	}
	return t
}

func (s *scope) quote(name string) string {
	var b sql.Builder
	b.SetDialect(s.dialect)
	return b.Quote(name)
}

// returning returns the clause that makes a statement give back the id and fields.
func (s *scope) returning(fields []int) string {
	q := s.p.quoted.Load()
	if q == nil || q.dialect != s.dialect {
		q = s.quoteAll()
		s.p.quoted.Store(q)
	}
	if len(fields) == 0 {
		return q.returning
	}
	n := len(q.returning)
	for _, f := range fields {
		n += len(q.fields[f])
	}
	var b strings.Builder
	b.Grow(n)
	b.WriteString(q.returning)
	for _, f := range fields {
		b.WriteString(q.fields[f])
	}
	return b.String()
}

// quoted holds what RETURNING clauses are made of.
type quoted struct {
	dialect   string
	returning string   // of the id
	fields    []string // what each field adds
}

func (s *scope) quoteAll() *quoted {
	q := &quoted{dialect: s.dialect, returning: " RETURNING "}
	for i, f := range s.p.ID {
		if i > 0 {
			q.returning += ", "
		}
		q.returning += s.quote(f.Column)
	}
	for _, f := range s.p.Fields {
		q.fields = append(q.fields, ", "+s.quote(f.Column))
	}
	return q
}

// entry returns a new entry of the mutation for the row w.
func (s *scope) entry(in *Intent, op entaudit.Operation, id string) entaudit.Entry {
	e := in.rec.NewEntry(entaudit.KindMutation, in.origin)
	e.Action = s.p.actions[op]
	e.Operation = op
	e.Outcome = entaudit.Success
	e.Resource = entaudit.Resource{Type: s.p.Resource, ID: id, Schema: s.schema}
	e.CauseID = in.causeID()
	return e
}

// emit takes e over as the next entry of in.
func (s *scope) emit(in *Intent, e entaudit.Entry) {
	id := e.ID
	in.first.CompareAndSwap(nil, &id)
	s.entries = append(s.entries, e)
}

// hand gives the entries to the transaction, with those of what the mutation has changed
// beyond its own rows.
func (s *scope) hand(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	if !s.reach.empty() {
		if err := s.emitReach(ctx, tx); err != nil {
			return err
		}
	}
	entries := s.entries
	s.entries = nil
	l := p.(*ledger)
	l.wrote()
	return l.add(ctx, tx, entries...)
}

// fail wraps an error of the recording itself, so that it is told from ent's.
func (s *scope) fail(doing string, err error) error {
	return fmt.Errorf("entaudit: %s %s: %w", doing, s.p.Type, err)
}

// skipScope records that a mutation was left out on purpose.
type skipScope struct {
	scope
	op string
}

// Begin implements txdriver.Scope.
func (s *skipScope) Begin(context.Context, dialect.ExecQuerier, txdriver.Pending) error { return nil }

// Statement implements txdriver.Scope.
func (s *skipScope) Statement(query string, _ bool) txdriver.Statement {
	return txdriver.Statement{Query: query}
}

// End implements txdriver.Scope.
func (s *skipScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, failed error) error {
	if failed != nil {
		return nil
	}
	s.emitSkip(s.in, s.op)
	return s.hand(ctx, tx, p)
}

// emitSkip makes the entry that says that a mutation was left out.
func (s *scope) emitSkip(in *Intent, op string) {
	e := s.entry(in, entaudit.OpSkip, "")
	e.Kind, e.Reason = entaudit.KindSystem, in.skip
	e.Metadata = map[string]any{"skipped": op}
	s.emit(in, e)
}

// unguardedScope refuses a mutation that no hook has seen.
type unguardedScope struct{ s *Schema }

func (unguardedScope) Find(dialect.Driver) (*txdriver.Tx, error) { return nil, nil }

func (u unguardedScope) Begin(context.Context, dialect.ExecQuerier, txdriver.Pending) error {
	return fmt.Errorf("entaudit: a mutation of %s passed the hooks by: "+
		`is _ "%s/runtime" imported in package main?`, u.s.Type, u.s.Graph.Package)
}

func (unguardedScope) Statement(query string, _ bool) txdriver.Statement {
	return txdriver.Statement{Query: query}
}

func (unguardedScope) End(context.Context, dialect.ExecQuerier, txdriver.Pending, error) error {
	return nil
}

func (unguardedScope) Pending() txdriver.Pending { return nothing{} }

// nothing is a Pending that stays empty.
type nothing struct{}

func (nothing) Flush(context.Context, dialect.ExecQuerier, bool) error { return nil }
func (nothing) Drop()                                                  {}
func (nothing) Done(context.Context, bool)                             {}
