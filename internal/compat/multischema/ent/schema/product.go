package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Order belongs to a user of another schema.
type Order struct{ ent.Schema }

// Mixin audits the type.
func (Order) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Order) Annotations() []schema.Annotation { return []schema.Annotation{entsql.Schema(shop)} }

// Fields of the Order.
func (Order) Fields() []ent.Field { return []ent.Field{field.String("code")} }

// Edges of the Order.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("orders").Unique(),
		edge.To("notes", Note.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Product is linked with users.
type Product struct{ ent.Schema }

// Mixin audits the type.
func (Product) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Product) Annotations() []schema.Annotation { return []schema.Annotation{entsql.Schema(shop)} }

// Fields of the Product.
func (Product) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Edges of the Product.
func (Product) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("wishers", User.Type).Ref("wishes"),
		edge.From("reviewers", User.Type).Ref("reviewed").Through("reviews", Review.Type),
	}
}

// Review is the link between a user and a product.
type Review struct{ ent.Schema }

// Mixin audits the type.
func (Review) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Review) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Schema(shop), field.ID("user_id", "product_id")}
}

// Fields of the Review.
func (Review) Fields() []ent.Field {
	return []ent.Field{field.Int("user_id"), field.Int("product_id"), field.Int("stars").Default(3)}
}

// Edges of the Review.
func (Review) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Unique().Required().Field("user_id").Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("product", Product.Type).Unique().Required().Field("product_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}
