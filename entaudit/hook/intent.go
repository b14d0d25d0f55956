package hook

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Mutation is what generated code adds to the mutations of audited types, and of
// those that may change rows of such.
type Mutation interface {
	ent.Mutation
	// EntAuditIntent returns where the mutation keeps its Intent.
	EntAuditIntent() **Intent
	// EntAuditFailed calls Failed for the mutation.
	EntAuditFailed(ctx context.Context, err error) error
}

// Intent is what is known of a mutation before it reaches the database: who asked
// for what. It travels on the mutation, so that a hook which drops its context
// loses nothing.
type Intent struct {
	rec     *entaudit.Recorder
	graph   *Graph
	origin  entaudit.Origin
	asked   ent.Op          // what the caller asked for, before hooks changed it
	ctx     context.Context // what the caller asked with, before hooks changed it
	depth   int
	pass    bool // not recorded
	skip    string
	skipped bool
	cause   *Intent
	first   atomic.Pointer[uuid.UUID] // first entry
}

type intentKey struct{}

// Outer is the outermost hook of an audited client. It sees what was asked for
// before any other hook can change it.
func Outer(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		am, ok := m.(Mutation)
		if !ok {
			return next.Mutate(ctx, m)
		}
		at := am.EntAuditIntent()
		in := *at
		if in == nil || in.depth == 0 {
			in = &Intent{asked: m.Op(), ctx: ctx, cause: causeFrom(ctx)}
			*at = in
			ctx = context.WithValue(ctx, intentKey{}, in)
		}
		in.depth++
		// A hook that returns early may leave the mutation to a goroutine of its own.
		tells, ended := failures(m), false
		defer func() {
			if in.depth--; tells && !ended && in.depth == 0 {
				_ = am.EntAuditFailed(ctx, errUnwound) // the panic is what the caller sees
			}
		}()
		v, err := next.Mutate(ctx, m)
		if ended = true; tells && err != nil && in.depth == 1 {
			err = am.EntAuditFailed(ctx, err)
		}
		return v, err
	})
}

func causeFrom(ctx context.Context) *Intent {
	in, _ := ctx.Value(intentKey{}).(*Intent)
	return in
}

// causeID returns the id of the first entry of the mutation that caused this one, or of
// the one that caused that where it has none.
func (in *Intent) causeID() uuid.UUID {
	for by := in.cause; by != nil; by = by.cause {
		if id := by.first.Load(); id != nil {
			return *id
		}
	}
	return uuid.Nil
}

// Guard is called by the mixin's hook. It notes who mutates and fails where nothing
// could be recorded.
func Guard(ctx context.Context, m Mutation, s *Schema, rec *entaudit.Recorder) (context.Context, error) {
	at := m.EntAuditIntent()
	if *at == nil {
		*at = &Intent{asked: m.Op(), ctx: ctx, cause: causeFrom(ctx)}
	}
	in := *at
	switch {
	case rec == nil && s.Graph.Gradual:
		s.warned.Do(func() {
			slog.WarnContext(ctx, "entaudit: changes are not recorded: the client has no recorder", "type", s.Type)
		})
		in.pass = true
		return ctx, nil
	case rec == nil:
		pkg := s.Graph.Package[strings.LastIndexByte(s.Graph.Package, '/')+1:]
		return nil, fmt.Errorf("entaudit: %s is audited but this client has no recorder: "+
			"open it with %s.Auditor(rec) or use client.Audited(rec)", s.Type, pkg)
	}
	in.rec, in.pass = rec, !rec.RecordsChanges()
	if in.pass {
		return ctx, nil
	}
	in.origin = rec.Origin(ctx)
	_, told := entaudit.ActorFrom(ctx)
	_, asked := entaudit.ActorFrom(in.ctx)
	if a := in.origin.Actor; a.ID == "" && a.Type == entaudit.ActorSystem || asked && !told {
		// Nobody, or a hook that dropped the caller's context: Config.Actor may know
		// somebody under any, but whom the caller named wins.
		in.origin = rec.Origin(in.ctx)
	}
	if in.skip, in.skipped = entaudit.SkipFrom(ctx); !in.skipped {
		in.skip, in.skipped = entaudit.SkipFrom(in.ctx)
	}
	if in.skipped && strings.TrimSpace(in.skip) == "" {
		return nil, fmt.Errorf("entaudit: %s of %s: Skip needs a reason", m.Op(), s.Type)
	}
	return ctx, nil
}

// MissingRuntime replaces the hooks of hooks that were never set: those of a type
// whose runtime package is not linked into the program. They would otherwise be
// called as they are, nil.
func MissingRuntime(pkg string, hooks []ent.Hook) {
	for i, h := range hooks {
		if h == nil {
			hooks[i] = func(ent.Mutator) ent.Mutator {
				return ent.MutateFunc(func(_ context.Context, m ent.Mutation) (ent.Value, error) {
					return nil, fmt.Errorf(`entaudit: the hooks of %s are not set: add the import _ "%s/runtime" to package main`, m.Type(), pkg)
				})
			}
		}
	}
}

// arm returns drv with s around its next write.
func (in *Intent) arm(drv dialect.Driver, g *Graph, s txdriver.Scope) dialect.Driver {
	in.graph = g
	return txdriver.New(drv, in, in.rec.Config().Grace, s)
}

// Done undoes what a write on drv has begun and not ended, as after a panic in ent's
// own code. Generated code defers it.
func Done(drv dialect.Driver) {
	if d, ok := drv.(*txdriver.Driver); ok {
		d.Abandon()
	}
}

// Find implements txdriver.Finder.
func (in *Intent) Find(drv dialect.Driver) (*txdriver.Tx, error) { return userTx(drv, in.graph) }
