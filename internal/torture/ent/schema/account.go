package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// Account has a uuid and several unique keys.
type Account struct{ ent.Schema }

// Mixin audits the type.
func (Account) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Tenant: "tenant", Label: "code"}}
}

// Fields of the Account.
func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.String("tenant"),
		field.String("code"),
		field.String("email").Unique().Optional().Nillable(),
		field.Int("balance").Default(0),
		field.String("nick").Optional(),
	}
}

// Indexes of the Account.
func (Account) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant", "code").Unique()} }

// Counter has an id that the database counts, and a unique name.
type Counter struct{ ent.Schema }

// Mixin audits the type.
func (Counter) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Counter.
func (Counter) Fields() []ent.Field {
	return []ent.Field{field.String("name").Unique(), field.Int("hits").Default(0)}
}

// Blob has an id of bytes.
type Blob struct{ ent.Schema }

// Mixin audits the type.
func (Blob) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Blob.
func (Blob) Fields() []ent.Field {
	return []ent.Field{
		field.Bytes("id").GoType(gotype.Key{}).DefaultFunc(gotype.NewKey).MaxLen(16).
			SchemaType(map[string]string{dialect.MySQL: "binary(16)"}),
		field.String("name"),
	}
}

// Edges of the Blob: a chain and links, all by bytes.
func (Blob) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("next", Blob.Type).Unique().From("prev").Unique(),
		edge.To("coupons", Coupon.Type),
	}
}

// Coupon has an id whose stored form is not the one that programs see.
type Coupon struct{ ent.Schema }

// Mixin audits the type.
func (Coupon) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Coupon.
func (Coupon) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").GoType(gotype.Code("")).MaxLen(40),
		field.Int("percent").Default(10),
	}
}

// Edges of the Coupon. Nothing leads back from its holder.
func (Coupon) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("blobs", Blob.Type).Ref("coupons"),
		edge.To("holder", Account.Type).Unique(),
	}
}
