package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Tag groups projects.
type Tag struct{ ent.Schema }

// Mixin audits the type.
func (Tag) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "organisation_id", Label: "name"}}
}

// Fields of the Tag.
func (Tag) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("organisation_id", uuid.UUID{}).Immutable(),
		field.String("name").NotEmpty().MaxLen(60),
		field.Uint32("colour").Default(0x808080).Comment("red, green and blue, eight bits each"),
	}
}

// Edges of the Tag.
func (Tag) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("organisation", Organisation.Type).Ref("tags").Field("organisation_id").Unique().Required().Immutable(),
		edge.From("projects", Project.Type).Ref("tags"),
	}
}

// Indexes of the Tag.
func (Tag) Indexes() []ent.Index {
	return []ent.Index{index.Fields("organisation_id", "name").Unique()}
}
