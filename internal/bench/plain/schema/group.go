package schema

import (
	"entgo.io/ent"

	"github.com/entaudit/audit/internal/bench/ent/schema"
)

// Group is the audited Group without the mixin.
type Group struct{ ent.Schema }

// Fields of the Group.
func (Group) Fields() []ent.Field { return schema.Group{}.Fields() }

// Edges of the Group.
func (Group) Edges() []ent.Edge { return schema.Group{}.Edges() }
