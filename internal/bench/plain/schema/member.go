package schema

import (
	"entgo.io/ent"

	"github.com/entaudit/audit/internal/bench/ent/schema"
)

// Member is the audited Member without the mixin.
type Member struct{ ent.Schema }

// Fields of the Member.
func (Member) Fields() []ent.Field { return schema.Member{}.Fields() }

// Edges of the Member.
func (Member) Edges() []ent.Edge { return schema.Member{}.Edges() }
