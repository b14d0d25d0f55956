// Package schema defines a graph that is served by GraphQL.
package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"
)

// Todo is what is served.
type Todo struct{ ent.Schema }

// Mixin audits the type.
func (Todo) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Label: "title"}} }

// Annotations make queries and mutations of the type.
func (Todo) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entgql.RelayConnection(),
		entgql.QueryField(),
		entgql.Mutations(entgql.MutationCreate(), entgql.MutationUpdate()),
	}
}

// Fields of the Todo.
func (Todo) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").NotEmpty().Annotations(entgql.OrderField("TITLE")),
		field.Enum("state").NamedValues("Open", "OPEN", "Done", "DONE").Default("OPEN"),
		field.Int("rank").Default(0),
	}
}

// Edges of the Todo.
func (Todo) Edges() []ent.Edge {
	return []ent.Edge{edge.To("parent", Todo.Type).Unique().From("children").Annotations(entgql.RelayConnection())}
}

// AuditLog holds the entries. GraphQL does not serve them: they have another kind of id
// and are for few to read.
type AuditLog struct{ mixin.AuditLog }

// Annotations keep the type out of GraphQL.
func (a AuditLog) Annotations() []schema.Annotation {
	return append(a.AuditLog.Annotations(), entgql.Skip(entgql.SkipAll))
}
