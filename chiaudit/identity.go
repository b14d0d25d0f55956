package chiaudit

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/entaudit/audit/entaudit"
)

// Identity is what a credential proves about who sends a request. The zero
// Identity is nobody.
type Identity struct {
	Actor  entaudit.Actor
	Tenant entaudit.Tenant // the tenant the credential is for, if it names one
}

// AuthError says that a credential was presented and is not valid. Reason is a
// short code that becomes the reason of the request's entry; it must not hold
// anything of the credential. Err is for the program and is not recorded.
type AuthError struct {
	Reason string
	Err    error
}

// Error returns the reason and the cause.
func (e *AuthError) Error() string {
	if e.Err == nil {
		return "chiaudit: " + e.Reason
	}
	return fmt.Sprintf("chiaudit: %s: %v", e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// authReason returns the code that the error of a resolver leaves on an entry.
func authReason(err error) string {
	var auth *AuthError
	if errors.As(err, &auth) && auth.Reason != "" {
		return auth.Reason
	}
	return ReasonAuthFailed
}

// identify sets the actor and the tenant of the request, where its context does
// not know them yet. It returns what has to be said about it on the entry.
func (h *handler) identify(r *http.Request) finding {
	ctx := r.Context()
	var f finding
	var id Identity
	_, actorKnown := entaudit.ActorFrom(ctx)
	_, tenantKnown := entaudit.TenantFrom(ctx)
	switch {
	case !actorKnown:
		if id, f.auth = h.resolve(r); !id.Actor.IsZero() { //nolint:contextcheck // r has it
			entaudit.SetActor(ctx, id.Actor)
		}
	case !tenantKnown && h.opts.TenantHeader != "" && h.opts.Actor != nil:
		// The header must not win over a credential because nobody looked at it.
		var err error
		if id, err = h.ask(r, h.opts.Actor); err != nil { //nolint:contextcheck // r has it
			id, f.auth = Identity{}, authReason(err)
		}
	}
	if tenantKnown {
		return f
	}
	if id.Tenant.IsZero() && h.opts.TenantHeader != "" {
		id.Tenant, f.badTenant = headerTenant(r.Header.Values(h.opts.TenantHeader))
	}
	if !id.Tenant.IsZero() {
		entaudit.SetTenant(ctx, id.Tenant)
	}
	return f
}

// resolve asks the resolvers in order. A credential that is not valid does not
// keep the next resolver from knowing who it is; its reason is returned in any
// case.
func (h *handler) resolve(r *http.Request) (id Identity, reason string) {
	if h.opts.Actor != nil {
		var err error
		if id, err = h.ask(r, h.opts.Actor); err != nil {
			id, reason = Identity{}, authReason(err)
		}
	}
	if id.Actor.IsZero() && h.opts.Identify != nil {
		own, err := h.ask(r, h.identifier)
		switch {
		case err != nil && reason == "":
			reason = authReason(err)
		case err == nil:
			id.Actor = own.Actor
		}
	}
	return id, reason
}

// identifier is Options.Identify in the form of Options.Actor.
func (h *handler) identifier(r *http.Request) (Identity, error) {
	a, ok := h.opts.Identify(r)
	if !ok {
		return Identity{}, nil
	}
	return Identity{Actor: a}, nil
}

// ask calls a resolver. One that panics knows nobody: the request is served all
// the same.
func (h *handler) ask(r *http.Request, resolve func(*http.Request) (Identity, error)) (id Identity, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold the credential: only its type is told.
			id, err = Identity{}, &AuthError{Reason: ReasonAuthFailed, Err: fmt.Errorf("resolver panicked with %T", p)}
			h.failures.log(r.Context(), err)
		}
	}()
	return resolve(r)
}
