// Package schema has the graph to measure with.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Invoice has eight fields of the kinds that most tables are made of.
type Invoice struct{ ent.Schema }

// Mixin audits the type.
func (Invoice) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Invoice.
func (Invoice) Fields() []ent.Field {
	return []ent.Field{
		field.String("number"),
		field.String("customer"),
		field.Int("quantity"),
		field.Bool("paid"),
		field.Enum("status").Values("draft", "open", "closed"),
		field.UUID("reference", uuid.UUID{}),
		field.Time("due_at"),
		field.String("note").Optional().Nillable(),
	}
}
