package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Document is a file that belongs to an invoice and outlives it.
type Document struct{ ent.Schema }

// Mixin audits the type: that there is content is recorded, the content is not.
func (Document) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Label: "name", Ignore: []string{"content"}}}
}

// Fields of the Document.
func (Document) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.Int("invoice_id").Optional().Nillable(),
		field.String("name").NotEmpty().MaxLen(200),
		field.Bytes("content").Immutable().MaxLen(1 << 20),
		field.Int64("size").Immutable(),
		field.Uint64("fingerprint").Immutable().Comment("a fast hash: tells equal files, proves nothing"),
		field.Bytes("digest").Immutable().MaxLen(32),
		field.Ints("pages").Optional(),
	}
}

// Edges of the Document.
func (Document) Edges() []ent.Edge {
	return []ent.Edge{edge.From("invoice", Invoice.Type).Ref("documents").Field("invoice_id").Unique()}
}
