// Package mixin has the audit table as an ent schema, for services that want
// their own migrations to create it and client.AuditLog to query it.
package mixin

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"

	"github.com/entaudit/audit/entaudit"
)

// AuditLog is the schema of the table audit_logs. Embed it,
//
//	type AuditLog struct{ mixin.AuditLog }
//
// or return it from the Mixin method of a schema of your own. Either way rows
// can be read through the client and not be changed through it: every mutation
// fails with [ErrImmutable]. The library itself writes by SQL and needs no
// generated code for it, so that the schema also works without the extension.
//
// An embedding schema that adds fields must make them optional: entries are
// written without them.
type AuditLog struct{ ent.Schema }

// ErrImmutable is returned, wrapped, by every mutation of AuditLog.
var ErrImmutable = errors.New("the audit log can be read, not changed")

// Annotations implements ent.Interface and ent.Mixin.
func (AuditLog) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Annotation{
			Table:     entaudit.DefaultTable,
			Charset:   "utf8mb4",
			Collation: "utf8mb4_bin", // ids that differ in case are different ids
			Checks:    checks(),
		},
		entaudit.Unaudited("the audit log itself"),
	}
}

// Hooks implements ent.Interface and ent.Mixin. The one hook refuses every
// mutation, upserts included: they would edit a row.
func (AuditLog) Hooks() []ent.Hook {
	return []ent.Hook{func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(_ context.Context, m ent.Mutation) (ent.Value, error) {
			return nil, fmt.Errorf("entaudit: %s of %s: %w", m.Op(), m.Type(), ErrImmutable)
		})
	}}
}
