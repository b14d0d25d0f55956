package table

import (
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Equal reports whether two entries are stored as the same row, but for the
// database's clock.
func Equal(a, b *entaudit.Entry) bool {
	return a.ID == b.ID && a.SchemaVersion == b.SchemaVersion && a.Service == b.Service &&
		a.Kind == b.Kind && a.Action == b.Action && a.Operation == b.Operation &&
		a.Outcome == b.Outcome && a.Reason == b.Reason &&
		a.OccurredAt.Truncate(time.Microsecond).Equal(b.OccurredAt.Truncate(time.Microsecond)) &&
		a.Duration.Microseconds() == b.Duration.Microseconds() &&
		a.Actor.ID == b.Actor.ID && a.Actor.Type == b.Actor.Type && a.Actor.Email == b.Actor.Email &&
		a.Actor.ImpersonatorID == b.Actor.ImpersonatorID &&
		a.Tenant == b.Tenant && a.ActorTenantID == b.ActorTenantID && a.Resource == b.Resource &&
		a.CauseID == b.CauseID && a.TxID == b.TxID && a.TxSeq == b.TxSeq &&
		a.Request == b.Request && encode(a) == encode(b)
}
