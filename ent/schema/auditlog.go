// Package schema has the audit table as an ent graph of its own, for a separate
// audit database.
package schema

import "github.com/entaudit/audit/entaudit/mixin"

// AuditLog is one entry.
type AuditLog struct{ mixin.AuditLog }
