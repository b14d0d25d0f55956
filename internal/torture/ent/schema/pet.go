package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Pet has a uuid of its own and an owner whose foreign key is not a field.
type Pet struct{ ent.Schema }

// Mixin audits the type.
func (Pet) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Pet.
func (Pet) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.String("name"),
	}
}

// Edges of the Pet.
func (Pet) Edges() []ent.Edge {
	return []ent.Edge{edge.From("owner", User.Type).Ref("pets").Unique()}
}

// Card belongs to at most one user.
type Card struct{ ent.Schema }

// Mixin audits the type.
func (Card) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Resource: "payment_card"}} }

// Fields of the Card. Its id is chosen by the caller.
func (Card) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(40),
		field.String("number"),
		field.Int("owner_id").Optional().Nillable(),
	}
}

// Edges of the Card.
func (Card) Edges() []ent.Edge {
	return []ent.Edge{edge.From("owner", User.Type).Ref("card").Unique().Field("owner_id")}
}

// Group is linked with many users.
type Group struct{ ent.Schema }

// Mixin audits the type.
func (Group) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Group.
func (Group) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of the Group.
func (Group) Edges() []ent.Edge { return []ent.Edge{edge.From("users", User.Type).Ref("groups")} }
