package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Member is in any number of groups.
type Member struct{ ent.Schema }

// Mixin audits the type.
func (Member) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Member.
func (Member) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of the Member.
func (Member) Edges() []ent.Edge { return []ent.Edge{edge.To("groups", Group.Type)} }
