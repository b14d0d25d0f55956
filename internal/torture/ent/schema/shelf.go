package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Shelf is a type that nobody audits. All that it is linked with is, but for its crates.
type Shelf struct{ ent.Schema }

// Annotations of the type.
func (Shelf) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("furniture")}
}

// Fields of the Shelf.
func (Shelf) Fields() []ent.Field {
	return []ent.Field{field.String("code").Unique().MaxLen(40), field.Int("height").Default(0)}
}

// Edges of the Shelf. Books stay when it goes, and crates do not.
func (Shelf) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("books", Book.Type),
		edge.To("front", Book.Type).Unique(),
		edge.To("crates", Crate.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("topics", Topic.Type),
		edge.To("readers", Topic.Type),
		edge.From("homed", Book.Type).Ref("homes"),
		edge.To("stocked", Book.Type).Through("stocks", Stock.Type),
		edge.To("next", Shelf.Type),
	}
}

// Crate is another type that nobody audits, between one and types that are.
type Crate struct{ ent.Schema }

// Annotations of the type.
func (Crate) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("furniture")}
}

// Fields of the Crate.
func (Crate) Fields() []ent.Field { return []ent.Field{field.String("colour").Default("")} }

// Edges of the Crate. Its books go with it.
func (Crate) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("shelf", Shelf.Type).Ref("crates").Unique(),
		edge.To("books", Book.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Book lies on shelves and in crates.
type Book struct{ ent.Schema }

// Mixin audits the type.
func (Book) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "tenant", Label: "title"}}
}

// Fields of the Book.
func (Book) Fields() []ent.Field {
	return []ent.Field{
		field.String("title"),
		field.String("tenant").Default("acme"),
		field.Int("crate_id").Optional().Nillable(),
	}
}

// Edges of the Book.
func (Book) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("shelf", Shelf.Type).Ref("books").Unique(),
		edge.From("front_of", Shelf.Type).Ref("front").Unique(),
		edge.From("crate", Crate.Type).Ref("books").Unique().Field("crate_id"),
		edge.To("homes", Shelf.Type),
		edge.From("stocked_at", Shelf.Type).Ref("stocked").Through("stocks", Stock.Type),
	}
}

// Topic is linked with shelves and refers to one by a key that it has no edge for.
type Topic struct{ ent.Schema }

// Mixin audits the type.
func (Topic) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Topic.
func (Topic) Fields() []ent.Field {
	return []ent.Field{field.String("id").MaxLen(40), field.String("name").Default("")}
}

// Edges of the Topic.
func (Topic) Edges() []ent.Edge {
	return []ent.Edge{edge.From("shelves", Shelf.Type).Ref("topics")}
}

// Stock is the link of a shelf and a book. It is audited.
type Stock struct{ ent.Schema }

// Mixin audits the type.
func (Stock) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Stock.
func (Stock) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.Int("shelf_id"),
		field.Int("book_id"),
		field.Int("copies").Default(1),
	}
}

// Edges of the Stock. It goes with either of them.
func (Stock) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("shelf", Shelf.Type).Unique().Required().Field("shelf_id").Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("book", Book.Type).Unique().Required().Field("book_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}
