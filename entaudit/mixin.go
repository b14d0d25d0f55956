package entaudit

import (
	"context"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/schema"
)

// Mixin audits a schema: every row that changes through an audited client has
// an entry in the same transaction. Add it to the schema's Mixin method and
// generate with the extension of package entaudit/extension.
type Mixin struct {
	// Resource names the schema in entries. Empty means the schema's name in
	// snake case. Set it before a type is renamed, so that its history stays
	// under one name.
	Resource string
	// Tenant is the field that holds the tenant a row belongs to. Empty means
	// that entries carry the actor's tenant.
	Tenant string
	// Label is the field whose value is copied into entries as a human name.
	Label string
	// Ignore lists fields that are not recorded.
	Ignore []string
	// IgnoreTouch leaves out updates in which nothing but fields with an
	// UpdateDefault changed.
	IgnoreTouch bool
	// WholeRows reads all columns of a row before and after it is written, instead
	// of those that ent writes. Set it where the database changes columns itself:
	// triggers, ON UPDATE CURRENT_TIMESTAMP, MySQL without strict mode. It costs no
	// further statement but one per create on MySQL.
	WholeRows bool
}

// guarded is what generated code adds to the mutations of audited schemas.
type guarded interface {
	ent.Mutation
	// EntAuditGuard notes who mutates and returns the context for the rest of the
	// mutation. It fails where the client has no recorder.
	EntAuditGuard(context.Context) (context.Context, error)
}

// Fields implements ent.Mixin.
func (Mixin) Fields() []ent.Field { return nil }

// Edges implements ent.Mixin.
func (Mixin) Edges() []ent.Edge { return nil }

// Indexes implements ent.Mixin.
func (Mixin) Indexes() []ent.Index { return nil }

// Interceptors implements ent.Mixin.
func (Mixin) Interceptors() []ent.Interceptor { return nil }

// Policy implements ent.Mixin.
func (Mixin) Policy() ent.Policy { return nil }

// Annotations implements ent.Mixin.
func (m Mixin) Annotations() []schema.Annotation {
	return []schema.Annotation{Annotation{
		Audited:     true,
		Resource:    m.Resource,
		Tenant:      m.Tenant,
		Label:       m.Label,
		IgnoreNames: m.Ignore,
		IgnoreTouch: m.IgnoreTouch,
		WholeRows:   m.WholeRows,
	}}
}

// Hooks implements ent.Mixin. The hook only guards: the recording itself
// happens around ent's own statements.
func (Mixin) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			g, ok := m.(guarded)
			if !ok {
				return nil, fmt.Errorf("entaudit: %s has entaudit.Mixin but its code was generated without the extension: "+
					"pass entc.Extensions(extension.New()) to entc.Generate in entc.go and run go generate", m.Type())
			}
			ctx, err := g.EntAuditGuard(ctx)
			if err != nil {
				return nil, err
			}
			return next.Mutate(ctx, m)
		})
	}}
}
