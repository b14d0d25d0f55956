package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Receipt notes that a client's idempotency key has been used.
type Receipt struct{ ent.Schema }

// Annotations leave the type out of auditing.
func (Receipt) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("idempotency keys hold no business data and expire")}
}

// Fields of the Receipt.
func (Receipt) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("organisation_id", uuid.UUID{}).Immutable(),
		field.String("key").MaxLen(80).Immutable(),
		field.Time("created_at").Immutable().Default(time.Now),
	}
}

// Indexes of the Receipt.
func (Receipt) Indexes() []ent.Index {
	return []ent.Index{index.Fields("organisation_id", "key").Unique()}
}
