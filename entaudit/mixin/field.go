package mixin

import (
	"encoding/json"
	"strconv"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Fields implements ent.Interface and ent.Mixin. They have neither defaults nor
// validators in Go: generated code refers to those through the schema package,
// where an embedded schema is not found under its own name.
func (AuditLog) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().SchemaType(uuidType()).
			Comment("UUIDv7: the time order of entries"),
		field.Int("schema_version").Immutable().SchemaType(integer()),
		text("service", entaudit.LimitName),
		field.String("kind").GoType(entaudit.Kind("")).Immutable().SchemaType(varchar(entaudit.LimitShort)),
		text("action", entaudit.LimitName),
		field.String("operation").GoType(entaudit.Operation("")).Optional().Immutable().SchemaType(varchar(entaudit.LimitShort)),
		field.String("outcome").GoType(entaudit.Outcome("")).Immutable().SchemaType(varchar(entaudit.LimitShort)),
		text("reason", entaudit.LimitName),
		field.Time("occurred_at").Immutable().SchemaType(datetime()),
		field.Time("recorded_at").Immutable().SchemaType(datetime()).
			Annotations(entsql.DefaultExprs(clock())).
			Comment("the database's clock"),
		field.Int64("duration_us").Optional().Immutable(),
		text("actor_id", entaudit.LimitName),
		field.String("actor_type").GoType(entaudit.ActorType("")).Optional().Immutable().SchemaType(varchar(entaudit.LimitShort)),
		text("actor_email", entaudit.LimitEmail),
		text("impersonator_id", entaudit.LimitName),
		encoded("actor_chain", []string{}),
		text("tenant_id", entaudit.LimitName),
		text("tenant_slug", entaudit.LimitSlug),
		text("actor_tenant_id", entaudit.LimitName),
		text("resource_type", entaudit.LimitName),
		text("resource_id", entaudit.LimitName),
		text("resource_label", entaudit.LimitName),
		text("resource_schema", entaudit.LimitName),
		encoded("changes", json.RawMessage{}),
		// An entity's Edges are its loaded edges.
		field.JSON("edge_changes", json.RawMessage{}).StorageKey("edges").StructTag(`json:"edges,omitempty"`).
			Optional().Immutable().SchemaType(longText()),
		encoded("changed_fields", []string{}),
		field.UUID("cause_id", uuid.UUID{}).Optional().Immutable().SchemaType(uuidType()),
		field.UUID("tx_id", uuid.UUID{}).Optional().Immutable().SchemaType(uuidType()),
		field.Int("tx_seq").Optional().Immutable().SchemaType(integer()),
		text("request_id", entaudit.LimitRequestID),
		text("trace_id", entaudit.LimitShort),
		text("method", entaudit.LimitShort),
		text("path", entaudit.LimitPath),
		text("route", entaudit.LimitRoute),
		text("query", entaudit.LimitQuery),
		field.Int("status_code").Optional().Immutable().SchemaType(integer()),
		text("ip_address", entaudit.LimitShort),
		text("user_agent", entaudit.LimitUserAgent),
		encoded("metadata", map[string]any{}),
		encoded("marks", map[string]entaudit.Mark{}),
	}
}

// text is a nullable text column of limit characters.
func text(name string, limit int) ent.Field {
	return field.String(name).Optional().Immutable().SchemaType(varchar(limit))
}

// encoded is a nullable column of JSON. It is stored as text: every database's
// own JSON type alters what it is given.
func encoded(name string, typ any) ent.Field {
	return field.JSON(name, typ).Optional().Immutable().SchemaType(longText())
}

func varchar(limit int) map[string]string {
	return map[string]string{
		dialect.Postgres: "text",
		dialect.MySQL:    "varchar(" + strconv.Itoa(limit) + ")",
		dialect.SQLite:   "text",
	}
}

func longText() map[string]string {
	return map[string]string{dialect.Postgres: "text", dialect.MySQL: "longtext", dialect.SQLite: "text"}
}

func integer() map[string]string {
	return map[string]string{dialect.Postgres: "integer", dialect.MySQL: "int", dialect.SQLite: "integer"}
}

// uuidType avoids MariaDB's own uuid type, which sorts by other bytes first.
func uuidType() map[string]string {
	return map[string]string{dialect.Postgres: "uuid", dialect.MySQL: "char(36)", dialect.SQLite: "uuid"}
}

func datetime() map[string]string {
	return map[string]string{dialect.Postgres: "timestamptz", dialect.MySQL: "datetime(6)", dialect.SQLite: "datetime"}
}

// clock is the database's clock in UTC, whatever the session's time zone. That
// of SQLite has milliseconds; its form is the one that ent's migration finds
// unchanged afterwards (it would copy the table at each start otherwise).
func clock() map[string]string {
	return map[string]string{
		dialect.Postgres: "statement_timestamp()",
		dialect.MySQL:    "(utc_timestamp(6))",
		dialect.SQLite:   "(strftime('%Y-%m-%d %H:%M:%f', 'now')) || ('000+00:00')",
	}
}
