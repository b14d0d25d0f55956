package schema

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/privacy"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"

	"github.com/entaudit/audit/entaudit"
	gen "github.com/entaudit/audit/internal/torture/ent"
)

// SoftDelete turns deletes into updates of deleted_at.
type SoftDelete struct{ mixin.Schema }

// Fields of the mixin.
func (SoftDelete) Fields() []ent.Field {
	return []ent.Field{field.Time("deleted_at").Optional().Nillable()}
}

// Hooks of the mixin.
func (SoftDelete) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if !m.Op().Is(ent.OpDelete | ent.OpDeleteOne) {
				return next.Mutate(ctx, m)
			}
			mx, ok := m.(interface {
				SetOp(ent.Op)
				Client() *gen.Client
				SetDeletedAt(time.Time)
			})
			if !ok {
				return nil, fmt.Errorf("unexpected mutation type %T", m)
			}
			mx.SetOp(ent.OpUpdate)
			mx.SetDeletedAt(time.Now())
			return mx.Client().Mutate(ctx, m)
		})
	}}
}

// Doc is deleted softly; the audit mixin comes first.
type Doc struct{ ent.Schema }

// Mixin audits the type.
func (Doc) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}, SoftDelete{}} }

// Fields of the Doc.
func (Doc) Fields() []ent.Field { return []ent.Field{field.String("title")} }

// Memo is deleted softly; the audit mixin comes last.
type Memo struct{ ent.Schema }

// Mixin audits the type.
func (Memo) Mixin() []ent.Mixin { return []ent.Mixin{SoftDelete{}, entaudit.Mixin{}} }

// Fields of the Memo.
func (Memo) Fields() []ent.Field { return []ent.Field{field.String("title")} }

// Hidden is a type whose rows nobody may read, and whose updates are confined to a
// tenant by its policy.
type Hidden struct{ ent.Schema }

// Mixin audits the type.
func (Hidden) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of Hidden.
func (Hidden) Fields() []ent.Field {
	return []ent.Field{field.String("title"), field.String("tenant").Default("a")}
}

// Policy denies every query.
func (Hidden) Policy() ent.Policy {
	return privacy.Policy{Query: privacy.QueryPolicy{privacy.AlwaysDenyRule()}}
}

// Plain is a type that nobody audits.
type Plain struct{ ent.Schema }

// Annotations of the type.
func (Plain) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("a type without history")}
}

// Fields of Plain.
func (Plain) Fields() []ent.Field { return []ent.Field{field.String("title")} }
