// Package schema has both ways in which a user takes the audit table into a
// graph of his own, beside a schema with runtime code of its own.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit/mixin"
)

// AuditLog embeds the schema.
type AuditLog struct{ mixin.AuditLog }

// Trail takes the schema as a mixin and adds a column.
type Trail struct{ ent.Schema }

func (Trail) Mixin() []ent.Mixin { return []ent.Mixin{mixin.AuditLog{}} }

func (Trail) Fields() []ent.Field { return []ent.Field{field.String("region").Optional()} }

func (Trail) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "trail"}}
}

// User has a default, a validator and a hook.
type User struct{ ent.Schema }

func (User) Fields() []ent.Field {
	return []ent.Field{field.String("name").NotEmpty(), field.Time("created_at").Default(time.Now)}
}

func (User) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator { return next }}
}
