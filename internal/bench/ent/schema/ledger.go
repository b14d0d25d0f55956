package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Ledger is deleted with its lines. Its ids are given, so that a measurement knows them
// beforehand.
type Ledger struct{ ent.Schema }

// Mixin audits the type.
func (Ledger) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Ledger.
func (Ledger) Fields() []ent.Field { return []ent.Field{field.Int("id"), field.String("name")} }

// Edges of the Ledger.
func (Ledger) Edges() []ent.Edge {
	return []ent.Edge{edge.To("lines", Line.Type).Annotations(entsql.OnDelete(entsql.Cascade))}
}
