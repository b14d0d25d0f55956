package schema

import (
	"entgo.io/ent"

	"github.com/entaudit/audit/internal/bench/ent/schema"
)

// Ledger is the audited Ledger without the mixin.
type Ledger struct{ ent.Schema }

// Fields of the Ledger.
func (Ledger) Fields() []ent.Field { return schema.Ledger{}.Fields() }

// Edges of the Ledger.
func (Ledger) Edges() []ent.Edge { return schema.Ledger{}.Edges() }
