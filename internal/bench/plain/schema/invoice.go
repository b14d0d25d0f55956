// Package schema has the graph to compare with.
package schema

import (
	"entgo.io/ent"

	"github.com/entaudit/audit/internal/bench/ent/schema"
)

// Invoice is the audited Invoice without the mixin.
type Invoice struct{ ent.Schema }

// Fields of the Invoice.
func (Invoice) Fields() []ent.Field { return schema.Invoice{}.Fields() }
