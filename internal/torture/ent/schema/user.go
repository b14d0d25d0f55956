// Package schema defines a graph with every kind of field and edge.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// User has what most tables have: a unique column, defaults, a secret, a tenant.
type User struct{ ent.Schema }

// Mixin audits the type.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "tenant", Label: "name"}}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.String("email").Unique().Optional().Nillable(),
		field.Int("age").Default(0),
		field.String("nick").Optional(),
		field.Strings("tags").Optional(),
		field.Enum("status").Values("open", "closed").Default("open"),
		field.String("tenant").Default("acme"),
		field.String("password").Sensitive().Optional(),
		field.JSON("settings", map[string]any{}).Optional(),
		field.String("level").Optional().Annotations(entsql.Default("basic")),
		field.Int("version").Default(1),
		field.Time("created_at").Immutable().Default(time.Now),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
	}
}

// Edges of the User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("pets", Pet.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("card", Card.Type).Unique(),
		edge.To("groups", Group.Type),
		edge.To("friends", User.Type),
		edge.To("spouse", User.Type).Unique(),
		edge.To("children", User.Type).From("parent").Unique(),
		edge.To("following", User.Type).From("followers"),
		edge.To("likes", Tweet.Type).Through("user_likes", Like.Type),
		edge.From("shared_folders", Folder.Type).Ref("viewers"),
	}
}
