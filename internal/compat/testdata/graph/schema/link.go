package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Group has its links with users in a schema of their own.
type Group struct{ ent.Schema }

// Mixin audits the type.
func (Group) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Group.
func (Group) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of the Group.
func (Group) Edges() []ent.Edge {
	return []ent.Edge{edge.From("users", User.Type).Ref("groups").Through("memberships", Membership.Type)}
}

// Membership is an edge schema whose id is the pair of its keys.
type Membership struct{ ent.Schema }

// Mixin audits the type.
func (Membership) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Membership) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("user_id", "group_id")}
}

// Fields of the Membership.
func (Membership) Fields() []ent.Field {
	return []ent.Field{
		field.Int("user_id"),
		field.Int("group_id"),
		field.Int("weight").Default(1),
		field.Time("since").Default(time.Now),
	}
}

// Edges of the Membership.
func (Membership) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Unique().Required().Field("user_id"),
		edge.To("group", Group.Type).Unique().Required().Field("group_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Friendship is an edge schema between users that has an id of its own.
type Friendship struct{ ent.Schema }

// Mixin audits the type.
func (Friendship) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Friendship.
func (Friendship) Fields() []ent.Field {
	return []ent.Field{
		field.Int("user_id"),
		field.Int("friend_id"),
		field.Time("since").Default(time.Now),
	}
}

// Edges of the Friendship.
func (Friendship) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Unique().Required().Field("user_id"),
		edge.To("friend", User.Type).Unique().Required().Field("friend_id"),
	}
}

// Tag is linked with pets by a table that has no schema.
type Tag struct{ ent.Schema }

// Mixin audits the type.
func (Tag) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Tag.
func (Tag) Fields() []ent.Field { return []ent.Field{field.String("name").StorageKey("select")} }

// Edges of the Tag.
func (Tag) Edges() []ent.Edge { return []ent.Edge{edge.From("pets", Pet.Type).Ref("tags")} }
