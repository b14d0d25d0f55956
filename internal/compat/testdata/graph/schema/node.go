package schema

import (
	"context"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	entmixin "entgo.io/ent/schema/mixin"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"
)

// Times adds when a row was made and changed, with a hook and an interceptor.
type Times struct{ entmixin.Schema }

// Fields of the mixin.
func (Times) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Immutable().Default(time.Now),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
	}
}

// Hooks of the mixin.
func (Times) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			return next.Mutate(ctx, m)
		})
	}}
}

// Interceptors of the mixin.
func (Times) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) { return next.Query(ctx, q) })
	})}
}

// AuditLog holds the entries.
type AuditLog struct{ mixin.AuditLog }

// Node is a tree and a list of its own kind.
type Node struct{ ent.Schema }

// Mixin audits the type.
func (Node) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{WholeRows: true}} }

// Fields of the Node.
func (Node) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Bytes("data").Optional(),
		field.Uint8("rank").Optional(),
		field.Bool("leaf").Default(true),
		field.Text("note").Optional().Annotations(entaudit.Personal()),
	}
}

// Edges of the Node.
func (Node) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Node.Type).Annotations(entsql.OnDelete(entsql.SetNull)).From("parent").Unique(),
	}
}

// Order has a table and a column that are named like words of SQL.
type Order struct{ ent.Schema }

// Mixin audits the type.
func (Order) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Ignore: []string{"cache"}}} }

// Annotations of the type.
func (Order) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "order"}}
}

// Fields of the Order.
func (Order) Fields() []ent.Field {
	return []ent.Field{
		field.String("group").Default("a"),
		field.String("cache").Optional(),
		field.String("auditor").Optional(), // also the name of a field that is generated
		field.Int("number").Optional().Annotations(entsql.Default("7")),
	}
}

// Session is not audited.
type Session struct{ ent.Schema }

// Annotations of the type.
func (Session) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("gone within the hour")}
}

// Fields of the Session.
func (Session) Fields() []ent.Field { return []ent.Field{field.String("agent").Optional()} }

// Edges of the Session.
func (Session) Edges() []ent.Edge { return []ent.Edge{edge.To("user", User.Type).Unique()} }

// Summary is a view, which nobody mutates.
type Summary struct{ ent.View }

// Fields of the Summary.
func (Summary) Fields() []ent.Field { return []ent.Field{field.String("tenant"), field.Int("users")} }
