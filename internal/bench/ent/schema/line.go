package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/entaudit/audit/entaudit"
)

// Line is in one ledger, or in none.
type Line struct{ ent.Schema }

// Mixin audits the type.
func (Line) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Line.
func (Line) Fields() []ent.Field {
	return []ent.Field{
		field.String("text"),
		field.Int("amount"),
		field.Int("ledger_id").Optional().Nillable(),
	}
}

// Edges of the Line.
func (Line) Edges() []ent.Edge {
	return []ent.Edge{edge.From("ledger", Ledger.Type).Ref("lines").Unique().Field("ledger_id")}
}

// Indexes of the Line. Only MySQL indexes foreign keys by itself.
func (Line) Indexes() []ent.Index { return []ent.Index{index.Fields("ledger_id")} }
