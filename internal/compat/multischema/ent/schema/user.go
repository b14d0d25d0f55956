// Package schema defines a graph whose tables lie in three schemas.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"
)

// The schemas of the database, unless a client is told others.
const (
	people = "people"
	shop   = "shop"
	audit  = "audit"
)

// User has rows of other schemas that go with it.
type User struct{ ent.Schema }

// Mixin audits the type.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (User) Annotations() []schema.Annotation { return []schema.Annotation{entsql.Schema(people)} }

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{field.String("name").Unique(), field.Int("age").Default(0)}
}

// Edges of the User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("orders", Order.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("wishes", Product.Type).Annotations(entsql.Schema(shop)),
		edge.To("reviewed", Product.Type).Through("reviews", Review.Type),
		edge.To("friends", User.Type),
	}
}

// Note belongs to an order of another schema.
type Note struct{ ent.Schema }

// Mixin audits the type.
func (Note) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Note) Annotations() []schema.Annotation { return []schema.Annotation{entsql.Schema(people)} }

// Fields of the Note.
func (Note) Fields() []ent.Field { return []ent.Field{field.String("text")} }

// Edges of the Note.
func (Note) Edges() []ent.Edge {
	return []ent.Edge{edge.From("order", Order.Type).Ref("notes").Unique()}
}

// AuditLog holds the entries.
type AuditLog struct{ mixin.AuditLog }

// Annotations put the table into a schema of its own.
func (a AuditLog) Annotations() []schema.Annotation {
	return append(a.AuditLog.Annotations(), entsql.Schema(audit))
}
