package schema

import (
	"entgo.io/ent"

	"github.com/entaudit/audit/internal/bench/ent/schema"
)

// Line is the audited Line without the mixin.
type Line struct{ ent.Schema }

// Fields of the Line.
func (Line) Fields() []ent.Field { return schema.Line{}.Fields() }

// Edges of the Line.
func (Line) Edges() []ent.Edge { return schema.Line{}.Edges() }

// Indexes of the Line.
func (Line) Indexes() []ent.Index { return schema.Line{}.Indexes() }
