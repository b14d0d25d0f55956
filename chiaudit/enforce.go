package chiaudit

import (
	"net/http"
	"strings"

	"github.com/entaudit/audit/entaudit"
)

// Reasons that [Require] and the comparison of tenants give on the entries of
// requests.
const (
	ReasonActorMissing   = "actor_missing"   // an actor is required and no credential was presented
	ReasonTenantMissing  = "tenant_missing"  // a tenant is required and no credential or application names one
	ReasonTenantMismatch = "tenant_mismatch" // another tenant is asked for than the one that the credential is for
)

// Requirements are the settings of [Require].
type Requirements struct {
	// Tenant requires a tenant too, which a credential or the application has named:
	// one that the request merely asks for does not do. An application that has
	// looked up whether the actor belongs to it leaves this out.
	Tenant bool
	// Challenge is the WWW-Authenticate header of a refusal for want of an actor.
	// Blank means Bearer, with error="invalid_token" where a credential is not valid.
	Challenge string
	// Refuse answers a request that is refused, in place of plain text. The header
	// WWW-Authenticate is set already.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, reason string)
}

// Require returns chi middleware that refuses requests, which recording alone never
// does: with 401 where no verified actor with an id is known, and with 403 where the request
// asks for another tenant than its credential is for. Tenants that cannot be
// compared, an id and a slug, count as different here. It stands behind [Handler],
// whose entry then has the outcome denied and the reason; it works the same where the
// Recorder is off and Options say who acts. Where nothing stands before it that knows
// an actor, it refuses everything. It panics while the router is built when q makes
// no sense.
func Require(q Requirements) func(http.Handler) http.Handler {
	if strings.ContainsFunc(q.Challenge, func(c rune) bool { return c < ' ' || c > '~' }) {
		panic("chiaudit: Requirements.Challenge: has characters that no header may have")
	}
	if q.Refuse == nil {
		q.Refuse = func(w http.ResponseWriter, _ *http.Request, status int, _ string) {
			http.Error(w, http.StatusText(status), status)
		}
	}
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("chiaudit: Require: the next handler is nil")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { q.serveHTTP(w, r, next) })
	}
}

func (q *Requirements) serveHTTP(w http.ResponseWriter, r *http.Request, next http.Handler) {
	ctx := r.Context()
	found := findingsOf(ctx)
	tenant, _ := entaudit.TenantFrom(ctx)
	actor, _ := entaudit.ActorFrom(ctx)
	failed, wrong, disagree, none := false, false, false, tenant.IsZero()
	for _, fs := range found {
		none = none || fs.onlyAsked(tenant)
		failed = failed || fs.failed()
		wrong = wrong || fs.wrong()
		disagree = disagree || fs.disagree()
	}
	status, reason := http.StatusForbidden, ""
	switch {
	case actor.ID == "" || entaudit.ActorUnverified(ctx):
		status, reason = http.StatusUnauthorized, ReasonActorMissing
		w.Header().Set("WWW-Authenticate", q.challenge(wrong))
	case disagree:
		reason = ReasonTenantMismatch
	case q.Tenant && none:
		reason = ReasonTenantMissing
	default:
		next.ServeHTTP(w, r)
		return
	}
	if status == http.StatusUnauthorized && failed {
		reason = ReasonAuthFailed
	}
	for _, fs := range found {
		if reason != ReasonAuthFailed || !fs.failed() { // else it has the true one already
			fs.add(finding{auth: reason})
		}
	}
	q.Refuse(w, r, status, reason)
}

func (q *Requirements) challenge(wrong bool) string {
	switch {
	case q.Challenge != "":
		return q.Challenge
	case wrong:
		return `Bearer error="invalid_token"`
	}
	return "Bearer"
}
