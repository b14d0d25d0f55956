package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Folder is a tree that is deleted with its root.
type Folder struct{ ent.Schema }

// Mixin audits the type.
func (Folder) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Folder.
func (Folder) Fields() []ent.Field {
	return []ent.Field{field.String("name"), field.Int("parent_id").Optional().Nillable()}
}

// Edges of the Folder.
func (Folder) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Folder.Type).Annotations(entsql.OnDelete(entsql.Cascade)).
			From("parent").Unique().Field("parent_id"),
		edge.To("files", File.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("viewers", User.Type),
	}
}

// File goes with its folder, and its chunks go with it.
type File struct{ ent.Schema }

// Mixin audits the type.
func (File) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{Label: "name"}} }

// Fields of the File.
func (File) Fields() []ent.Field {
	return []ent.Field{field.String("id").MaxLen(40), field.String("name").Default("")}
}

// Edges of the File. The key of its folder has no field; its scans stay without it.
func (File) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("folder", Folder.Type).Ref("files").Unique().Required(),
		edge.To("scans", Scan.Type),
		edge.To("latest", Scan.Type).Unique(),
		edge.To("chunks", Chunk.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Scan refers to a file by two keys that are cleared with it.
type Scan struct{ ent.Schema }

// Mixin audits the type.
func (Scan) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Scan.
func (Scan) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("verdict").Values("clean", "infected").Default("clean"),
		field.String("file_id").MaxLen(40).Optional().Nillable(),
	}
}

// Edges of the Scan.
func (Scan) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("file", File.Type).Ref("scans").Unique().Field("file_id"),
		edge.From("latest_of", File.Type).Ref("latest").Unique(),
	}
}

// Chunk is a type that nobody audits between two that are.
type Chunk struct{ ent.Schema }

// Annotations of the type.
func (Chunk) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("a type without history")}
}

// Fields of the Chunk.
func (Chunk) Fields() []ent.Field {
	return []ent.Field{field.Bytes("data").Optional(), field.String("file_id").MaxLen(40).Optional().Nillable()}
}

// Edges of the Chunk.
func (Chunk) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("file", File.Type).Ref("chunks").Unique().Field("file_id"),
		edge.To("marks", Mark.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Mark goes with its chunk.
type Mark struct{ ent.Schema }

// Mixin audits the type.
func (Mark) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Mark.
func (Mark) Fields() []ent.Field {
	return []ent.Field{field.String("text"), field.Int("chunk_id").Optional().Nillable()}
}

// Edges of the Mark.
func (Mark) Edges() []ent.Edge {
	return []ent.Edge{edge.From("chunk", Chunk.Type).Ref("marks").Unique().Field("chunk_id")}
}
