package schema

import (
	"net/url"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// Kinds has a field of every kind.
type Kinds struct{ ent.Schema }

// Mixin audits the type.
func (Kinds) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{IgnoreTouch: true}} }

// Fields of Kinds.
func (Kinds) Fields() []ent.Field {
	text := map[string]string{dialect.Postgres: "varchar", dialect.MySQL: "varchar(64)", dialect.SQLite: "text"}
	return []ent.Field{
		field.Bool("bool").Optional().Nillable(),
		field.Int("int").Optional(),
		field.Int8("int8").Optional(),
		field.Int16("int16").Optional(),
		field.Int32("int32").Optional(),
		field.Int64("int64").Optional().Nillable(),
		field.Uint("uint").Optional(),
		field.Uint8("uint8").Optional(),
		field.Uint16("uint16").Optional(),
		field.Uint32("uint32").Optional(),
		field.Uint64("uint64").Optional(),
		field.Float("float").Optional(),
		field.Float32("float32").Optional(),
		field.Time("at").Optional().Nillable(),
		field.JSON("doc", map[string]any{}).Optional(),
		field.JSON("link", &url.URL{}).Optional(),
		field.Strings("strings").Optional(),
		field.Ints("ints").Optional(),
		field.UUID("uuid", uuid.UUID{}).Optional().Nillable(),
		field.Bytes("bytes").Optional(),
		field.Enum("enum").Values("on", "off").Optional().Nillable(),
		field.String("str").Optional(),
		field.Text("text").Optional(),
		field.Int("level").GoType(gotype.Level(0)).Optional(),
		field.String("color").GoType(gotype.Color("")).Optional().Nillable(),
		field.Other("amount", gotype.Amount{}).SchemaType(map[string]string{
			dialect.Postgres: "numeric(20,4)", dialect.MySQL: "decimal(20,4)", dialect.SQLite: "text",
		}).Optional(),
		field.Other("addr", gotype.Addr{}).SchemaType(text).Optional(),
		field.String("secret").ValueScanner(gotype.Sealed()).Optional(),
		field.String("order").StorageKey("group").Optional(),
		field.String("ignored").Annotations(entaudit.Ignore()).Optional(),
		field.String("iban_like").Annotations(entaudit.Sensitive()).Optional(),
		field.Time("touched_at").Optional().UpdateDefault(time.Now),
	}
}
