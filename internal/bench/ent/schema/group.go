package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Group has members, and a unique key to upsert by.
type Group struct{ ent.Schema }

// Mixin audits the type.
func (Group) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Group.
func (Group) Fields() []ent.Field {
	return []ent.Field{
		field.String("code").Unique().Immutable(),
		field.String("name"),
		field.Int("seats"),
	}
}

// Edges of the Group.
func (Group) Edges() []ent.Edge { return []ent.Edge{edge.From("members", Member.Type).Ref("groups")} }
