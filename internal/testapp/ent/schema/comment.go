package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Comment is what a user says about an invoice.
type Comment struct{ ent.Schema }

// Mixin audits the type.
func (Comment) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Comment.
func (Comment) Fields() []ent.Field {
	return []ent.Field{
		field.Text("body").NotEmpty(),
		field.Strings("mentions").Optional(),
		field.Uint("likes").Default(0),
		field.Time("created_at").Immutable().Default(time.Now),
	}
}

// Edges of the Comment. Its foreign keys have no fields of their own.
func (Comment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("invoice", Invoice.Type).Ref("comments").Unique().Required(),
		edge.From("author", User.Type).Ref("comments").Unique(),
	}
}
