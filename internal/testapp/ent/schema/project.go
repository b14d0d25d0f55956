package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/money"
)

// Project is work that invoices are written for.
type Project struct{ ent.Schema }

// Mixin audits the type.
func (Project) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "organisation_id", Label: "name"}}
}

// Fields of the Project.
func (Project) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("organisation_id", uuid.UUID{}).Immutable(),
		field.String("name").NotEmpty().MaxLen(120),
		field.String("code").StorageKey("project_code").MaxLen(20),
		field.Text("description").Optional(),
		field.Int8("priority").Default(0),
		field.Other("budget", money.Amount{}).SchemaType(money.SchemaType()).Optional().Nillable(),
		field.Float("progress").Default(0).Min(0).Max(1),
		field.Bool("archived").Default(false),
	}
}

// Edges of the Project.
func (Project) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("organisation", Organisation.Type).Ref("projects").Field("organisation_id").Unique().Required().Immutable(),
		edge.To("tags", Tag.Type),
		edge.To("invoices", Invoice.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
	}
}

// Indexes of the Project.
func (Project) Indexes() []ent.Index {
	return []ent.Index{index.Fields("organisation_id", "code").Unique()}
}
