package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// User works for an organisation.
type User struct{ ent.Schema }

// Mixin audits the type.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "organisation_id", Label: "name"}}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("organisation_id", uuid.UUID{}).Immutable(),
		field.String("email").MaxLen(200).Annotations(entaudit.Personal()),
		field.String("name").NotEmpty().MaxLen(120).Annotations(entaudit.Personal()),
		field.Enum("role").Values("member", "billing", "owner").Default("member"),
		field.String("password").Sensitive().Comment("a salted hash"),
		field.Bool("active").Default(true),
		field.JSON("preferences", map[string]any{}).Optional(),
		field.Bytes("avatar").Optional().MaxLen(1 << 16),
		field.Int32("logins").Default(0),
		field.Time("last_login_at").Optional().Nillable(),
		field.Time("created_at").Immutable().Default(time.Now),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
	}
}

// Edges of the User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("organisation", Organisation.Type).Ref("users").Field("organisation_id").Unique().Required().Immutable(),
		edge.To("comments", Comment.Type),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index {
	return []ent.Index{index.Fields("organisation_id", "email").Unique()}
}
