package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/money"
)

// Line is one item of an invoice.
type Line struct{ ent.Schema }

// Mixin audits the type. Entries call it by what people call it.
func (Line) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Resource: "invoice_line", Label: "text"}}
}

// Fields of the Line.
func (Line) Fields() []ent.Field {
	return []ent.Field{
		field.Int("invoice_id").Immutable(),
		field.String("text").NotEmpty().MaxLen(200),
		field.Uint16("quantity").Default(1),
		field.Other("price", money.Amount{}).SchemaType(money.SchemaType()),
		field.Int16("position").Default(1),
	}
}

// Edges of the Line.
func (Line) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("invoice", Invoice.Type).Ref("lines").Field("invoice_id").Unique().Required().Immutable(),
	}
}
