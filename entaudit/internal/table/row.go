package table

import (
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// sqliteTime is how times are stored on SQLite: text that sorts as the times
// do and that the usual drivers parse.
const sqliteTime = "2006-01-02 15:04:05.000000-07:00"

// appendRow appends the values of one row, in the order of the columns.
func appendRow(args []any, dialectName string, e *entaudit.Entry) []any {
	r := row{args: args}
	j := encode(e)
	r.uuid(e.ID)
	r.args = append(r.args, e.SchemaVersion)
	r.text(e.Service)
	r.args = append(r.args, known(string(e.Kind)))
	r.text(e.Action)
	r.args = append(r.args, known(string(e.Operation)), known(string(e.Outcome)))
	r.text(e.Reason)
	r.args = append(r.args, Time(dialectName, e.OccurredAt))
	r.number(e.Duration.Microseconds())
	r.text(e.Actor.ID)
	r.args = append(r.args, known(string(e.Actor.Type)))
	r.text(e.Actor.Email)
	r.text(e.Actor.ImpersonatorID)
	r.text(j.chain)
	r.text(e.Tenant.ID)
	r.text(e.Tenant.Slug)
	if e.ActorTenantID == e.Tenant.ID {
		r.args = append(r.args, r.args[len(r.args)-2])
	} else {
		r.text(e.ActorTenantID)
	}
	r.text(e.Resource.Type)
	r.text(e.Resource.ID)
	r.text(e.Resource.Label)
	r.text(e.Resource.Schema)
	r.text(j.changes)
	r.text(j.edges)
	r.text(j.fields)
	r.uuid(e.CauseID)
	r.uuid(e.TxID)
	r.number(int64(e.TxSeq))
	r.text(e.Request.ID)
	r.text(e.Request.TraceID)
	r.args = append(r.args, known(e.Request.Method))
	r.text(e.Request.Path)
	r.text(e.Request.Route)
	r.text(e.Request.Query)
	r.number(int64(e.Request.StatusCode))
	r.text(e.Request.IP)
	r.text(e.Request.UserAgent)
	r.text(j.metadata)
	r.text(j.marks)
	return r.args
}

// row collects the values of one row. A text that equals the one above it, as
// actor and request mostly do, shares its interface value.
type row struct{ args []any }

func (r *row) text(s string) {
	if s == "" {
		r.args = append(r.args, nil)
		return
	}
	if i := len(r.args) - inserted; i >= 0 {
		if above, ok := r.args[i].(string); ok && above == s {
			r.args = append(r.args, r.args[i])
			return
		}
	}
	r.args = append(r.args, s)
}

func (r *row) uuid(id uuid.UUID) {
	if id == uuid.Nil {
		r.args = append(r.args, nil)
		return
	}
	r.text(id.String())
}

func (r *row) number(n int64) {
	if n == 0 {
		r.args = append(r.args, nil)
		return
	}
	r.args = append(r.args, n)
}

// Time returns t as an argument for a time column of the dialect.
func Time(dialectName string, t time.Time) any {
	t = t.UTC().Truncate(time.Microsecond)
	if dialectName == dialect.SQLite {
		return t.Format(sqliteTime)
	}
	return t
}

// known returns s as an interface value, without an allocation for the values
// that this library and HTTP use.
func known(s string) any {
	switch s {
	case "":
		return nil
	case string(entaudit.KindMutation):
		return string(entaudit.KindMutation)
	case string(entaudit.KindRequest):
		return string(entaudit.KindRequest)
	case string(entaudit.KindManual):
		return string(entaudit.KindManual)
	case string(entaudit.OpCreate):
		return string(entaudit.OpCreate)
	case string(entaudit.OpUpdate):
		return string(entaudit.OpUpdate)
	case string(entaudit.OpDelete):
		return string(entaudit.OpDelete)
	case string(entaudit.Success):
		return string(entaudit.Success)
	case string(entaudit.ActorTenantUser):
		return string(entaudit.ActorTenantUser)
	case string(entaudit.ActorSystem):
		return string(entaudit.ActorSystem)
	case string(entaudit.ActorAnonymous):
		return string(entaudit.ActorAnonymous)
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "PATCH":
		return "PATCH"
	case "DELETE":
		return "DELETE"
	}
	return s
}
