// Package schema defines a graph with every kind of relation that ent has.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/privacy"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// User is at one end of nearly every relation.
type User struct{ ent.Schema }

// Mixin audits the type.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Resource: "account", Tenant: "tenant", Label: "name", IgnoreTouch: true}, Times{}}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.String("email").Unique().Optional().Nillable(),
		field.Int("age").Default(0),
		field.Enum("state").Values("open", "closed").Default("open"),
		field.String("tenant").Default("acme"),
		field.String("password").Sensitive().Optional(),
		field.JSON("settings", map[string]any{}).Optional(),
		field.Strings("tags").Optional(),
		field.UUID("token", uuid.UUID{}).Optional().Nillable(),
		field.Float("score").Optional(),
		field.Int("parent_id").Optional().Nillable(),
	}
}

// Edges of the User: one to one, one to many and many to many, with other types and
// with itself, in one direction and in both.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("pets", Pet.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("card", Card.Type).Unique(),
		edge.To("groups", Group.Type).Through("memberships", Membership.Type),
		edge.To("friends", User.Type).Through("friendships", Friendship.Type),
		edge.To("following", User.Type).From("followers"),
		edge.To("spouse", User.Type).Unique(),
		edge.To("next", User.Type).Unique().From("prev").Unique(),
		edge.To("children", User.Type).From("parent").Unique().Field("parent_id"),
		edge.To("partners", User.Type),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant", "name")} }

// Policy allows everything, by a rule of each kind.
func (User) Policy() ent.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{privacy.AlwaysAllowRule()},
		Mutation: privacy.MutationPolicy{privacy.AlwaysAllowRule()},
	}
}

// Pet has a uuid and an owner whose key is not a field.
type Pet struct{ ent.Schema }

// Mixin audits the type.
func (Pet) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Pet.
func (Pet) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuid.UUID{}).Default(uuid.New), field.String("name")}
}

// Edges of the Pet.
func (Pet) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("owner", User.Type).Ref("pets").Unique(),
		edge.To("tags", Tag.Type),
	}
}

// Card has an id that the caller chooses.
type Card struct{ ent.Schema }

// Mixin audits the type.
func (Card) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}, Times{}} }

// Fields of the Card.
func (Card) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(40),
		field.String("number").Unique(),
		field.Time("expires").Optional().Nillable().Default(time.Now),
		field.Int("owner_id").Optional(),
	}
}

// Edges of the Card.
func (Card) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("owner", User.Type).Ref("card").Unique().Field("owner_id"),
		edge.To("auditor", User.Type).Unique(),
	}
}
