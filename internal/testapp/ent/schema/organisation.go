// Package schema describes the data of the service: organisations are tenants, and
// everything else belongs to one of them.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/postal"
)

// Organisation is a tenant.
type Organisation struct{ ent.Schema }

// Mixin audits the type.
func (Organisation) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Label: "name"}} }

// Fields of the Organisation.
func (Organisation) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.String("name").NotEmpty().MaxLen(120),
		field.String("slug").Unique().Immutable().MaxLen(60),
		field.Enum("plan").Values("free", "team", "enterprise").Default("free"),
		field.Float32("vat_rate").Default(0.19),
		field.JSON("address", postal.Address{}).Optional(),
		field.Time("created_at").Immutable().Default(time.Now),
	}
}

// Edges of the Organisation. What belongs to it goes with it.
func (Organisation) Edges() []ent.Edge {
	gone := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.To("users", User.Type).Annotations(gone),
		edge.To("projects", Project.Type).Annotations(gone),
		edge.To("tags", Tag.Type).Annotations(gone),
		edge.To("invoices", Invoice.Type).Annotations(gone),
	}
}
