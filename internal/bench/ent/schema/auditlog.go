package schema

import "github.com/entaudit/audit/entaudit/mixin"

// AuditLog holds the entries, in the same database as the rest.
type AuditLog struct{ mixin.AuditLog }
