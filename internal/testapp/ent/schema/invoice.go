package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/money"
	"github.com/entaudit/audit/internal/testapp/vault"
)

// Invoice asks a customer for money.
type Invoice struct{ ent.Schema }

// Mixin audits the type.
func (Invoice) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "organisation_id", Label: "number"}}
}

// Fields of the Invoice.
func (Invoice) Fields() []ent.Field {
	day := map[string]string{dialect.Postgres: "date", dialect.MySQL: "date", dialect.SQLite: "datetime"}
	return []ent.Field{
		field.UUID("organisation_id", uuid.UUID{}).Immutable(),
		field.Int("project_id").Optional().Nillable(),
		field.String("number").Immutable().NotEmpty().MaxLen(40),
		field.String("customer").NotEmpty().MaxLen(120),
		field.Enum("status").Values("draft", "open", "paid", "closed").Default("open"),
		field.Time("due_on").SchemaType(day),
		field.Time("paid_at").Optional().Nillable(),
		field.Other("total", money.Amount{}).SchemaType(money.SchemaType()).Default(money.Amount{}),
		field.Uint8("reminders").Default(0),
		field.String("note").Optional().MaxLen(4000).ValueScanner(vault.Note("only for show")).
			Comment("what colleagues should know; encrypted at rest"),
		field.Int("version").Default(1),
		field.Time("created_at").Immutable().Default(time.Now),
	}
}

// Edges of the Invoice. Lines and comments go with it; documents stay.
func (Invoice) Edges() []ent.Edge {
	gone := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.From("organisation", Organisation.Type).Ref("invoices").Field("organisation_id").Unique().Required().Immutable(),
		edge.From("project", Project.Type).Ref("invoices").Field("project_id").Unique(),
		edge.To("lines", Line.Type).Annotations(gone),
		edge.To("comments", Comment.Type).Annotations(gone),
		edge.To("documents", Document.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
	}
}

// Indexes of the Invoice.
func (Invoice) Indexes() []ent.Index {
	return []ent.Index{index.Fields("organisation_id", "number").Unique()}
}
