package mixin

import (
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/index"

	"github.com/entaudit/audit/entaudit"
)

// Indexes implements ent.Interface and ent.Mixin. The id is the time order and
// ends every index. The last two are partial on PostgreSQL and SQLite; MySQL has
// no partial indexes and gets them over all rows.
//
// The index of outcomes is not partial: PostgreSQL gives a predicate that holds a
// text back with a cast that SQLite cannot parse, so that ent's migration would
// find a difference and build the index anew at each start.
func (AuditLog) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "id"),
		index.Fields("resource_type", "resource_id", "id"),
		index.Fields("actor_id", "id"),
		index.Fields("outcome", "id"),
		index.Fields("request_id", "id").
			Annotations(entsql.IndexWhere("request_id IS NOT NULL")),
		index.Fields("impersonator_id", "id").
			Annotations(entsql.IndexWhere("impersonator_id IS NOT NULL")),
	}
}

// checks keep the enums to the values that this version knows. A later version
// that adds a value comes with a migration.
func checks() map[string]string {
	return map[string]string{
		"audit_logs_kind": in("kind", entaudit.KindMutation, entaudit.KindRequest, entaudit.KindManual,
			entaudit.KindJob, entaudit.KindSystem),
		"audit_logs_operation": in("operation", entaudit.OpCreate, entaudit.OpUpdate, entaudit.OpDelete,
			entaudit.OpSoftDelete, entaudit.OpRestore, entaudit.OpSummary,
			entaudit.OpSkip, entaudit.OpGap, entaudit.OpSwitch, entaudit.OpRawSQL),
		"audit_logs_outcome": in("outcome", entaudit.Success, entaudit.Failure, entaudit.Denied,
			entaudit.Aborted, entaudit.Unknown),
	}
}

func in[T ~string](column string, values ...T) string {
	var b strings.Builder
	b.WriteString(column + " IN (")
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + string(v) + "'")
	}
	b.WriteString(")")
	return b.String()
}
