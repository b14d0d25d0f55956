// Package schema defines a small graph.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"
)

// User has columns that other extensions write.
type User struct{ ent.Schema }

// Mixin audits the type.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique(),
		field.String("by_left").Optional(),
		field.String("by_right").Optional(),
	}
}

// AuditLog holds the entries.
type AuditLog struct{ mixin.AuditLog }
