package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// recoverer answers for handlers that panic. It stands outside of the audit
// middleware, which records the panic and lets it go on.
func (a *app) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recovered(w, r)
		next.ServeHTTP(w, r)
	})
}

// recovered is deferred.
func (a *app) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // net/http cuts the connection
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "handler panicked", slog.Any("panic", p), slog.String("path", r.URL.Path))
	a.answer(w, r, http.StatusInternalServerError, errorBody{"internal error"})
}

// authenticated lets requests of a known actor through. Who that is has been found
// out by the audit middleware, which records the refusal too.
func (a *app) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, _ := entaudit.ActorFrom(r.Context())
		if actor.ID == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			a.answer(w, r, http.StatusUnauthorized, errorBody{"a valid bearer token is needed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ofTenant lets requests through whose token is for an organisation.
func (a *app) ofTenant(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tenant(r.Context()) == uuid.Nil {
			a.answer(w, r, http.StatusForbidden, errorBody{"the token is not for an organisation"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tenantHeader names the organisation that a client takes itself to be in. It gives
// access to nothing.
const tenantHeader = "X-Tenant"

// ownTenant refuses requests for another organisation than that of the token, and
// those whose token is for none.
func ownTenant(next http.Handler) http.Handler {
	return chiaudit.Require(chiaudit.Requirements{Tenant: true})(next)
}

// operators lets requests of those through who run the service.
func (a *app) operators(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, _ := entaudit.ActorFrom(r.Context())
		if actor.Type != entaudit.ActorPlatformAdmin {
			a.answer(w, r, http.StatusForbidden, errorBody{"only for operators"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tenant returns the organisation that a request is for. Every query is limited to
// it: it comes from a verified token and from nowhere else.
func tenant(ctx context.Context) uuid.UUID {
	t, _ := entaudit.TenantFrom(ctx)
	id, err := uuid.Parse(t.ID)
	if err != nil {
		return uuid.Nil
	}
	return id
}
