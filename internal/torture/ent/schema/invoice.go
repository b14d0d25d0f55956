package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// Invoice is deleted with its lines.
type Invoice struct{ ent.Schema }

// Mixin audits the type.
func (Invoice) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Label: "number"}} }

// Fields of the Invoice.
func (Invoice) Fields() []ent.Field { return []ent.Field{field.String("number").Unique()} }

// Edges of the Invoice. Nothing leads back from its attachments.
func (Invoice) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("lines", Line.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("attachments", Blob.Type),
	}
}

// Line cannot be without its invoice.
type Line struct{ ent.Schema }

// Mixin audits the type.
func (Line) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Line.
func (Line) Fields() []ent.Field {
	return []ent.Field{
		field.String("text").Default(""),
		field.Other("amount", gotype.Amount{}).SchemaType(map[string]string{
			dialect.Postgres: "numeric(20,4)", dialect.MySQL: "decimal(20,4)", dialect.SQLite: "text",
		}),
		field.Int("invoice_id"),
	}
}

// Edges of the Line.
func (Line) Edges() []ent.Edge {
	return []ent.Edge{edge.From("invoice", Invoice.Type).Ref("lines").Unique().Required().Field("invoice_id")}
}

// Roster is a view of the users.
type Roster struct{ ent.View }

// Annotations of the view.
func (Roster) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.View("SELECT name, tenant FROM users")}
}

// Fields of the Roster.
func (Roster) Fields() []ent.Field { return []ent.Field{field.String("name"), field.String("tenant")} }
