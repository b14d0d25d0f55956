package chiaudit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// Reasons that resolvers of this package give on the entries of requests, besides
// those for tokens.
const (
	ReasonCertificateInvalid = "certificate_invalid" // a client certificate was presented that proves nothing
	ReasonKeyInvalid         = "key_invalid"         // an API key was presented that is nobody's
	ReasonKeysUnavailable    = "keys_unavailable"    // a credential could not be verified: the issuer's keys have not been had for too long, or an API key could not be looked up
)

// Identity is what a credential proves about who sends a request. The zero
// Identity is nobody.
type Identity struct {
	Actor  entaudit.Actor
	Tenant entaudit.Tenant // the tenant the credential is for, if it names one
	// Unverified says that nothing proves it after all: entries mark the actor, and
	// [Require] refuses it.
	Unverified bool
}

// AuthError says that a credential was presented and is not valid. Reason is a
// short code that becomes the reason of the request's entry; it must not hold
// anything of the credential. Err is for the program and is not recorded.
type AuthError struct {
	Reason string
	Err    error
	// Fingerprint tells this credential from others without giving it away: a
	// keyed hash of it.
	Fingerprint string
	// Subject is whom the credential claims to be. Nothing proves it: it is kept
	// apart from the actor.
	Subject string
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

// prepare completes a handler from its options.
func (h *handler) prepare() {
	h.proxies = newProxies(h.opts.Proxies)
	if name := h.opts.TenantHeader; name != "" {
		h.tenants = append(h.tenants, TenantFromHeader(name))
	}
	h.tenants = append(h.tenants, h.opts.Tenants...)
}

// identify sets the actor, the tenant and the client's address of the request, the
// first two where its context does not know them yet. It returns what has to be
// said about it on the entry.
func (h *handler) identify(r *http.Request) finding {
	ctx := r.Context()
	f := finding{garbled: h.address(r)} //nolint:contextcheck // r has it
	var id Identity
	_, actorKnown := entaudit.ActorFrom(ctx)
	_, tenantKnown := entaudit.TenantFrom(ctx)
	switch {
	case !actorKnown:
		switch id = h.resolve(r, &f); { //nolint:contextcheck // r has it
		case id.Actor.IsZero():
		case id.Unverified:
			entaudit.SetUnverifiedActor(ctx, id.Actor)
		default:
			entaudit.SetActor(ctx, id.Actor)
		}
	case !tenantKnown && len(h.tenants) > 0 && h.opts.Actor != nil:
		// What the request asks for must not win over a credential because nobody
		// looked at it.
		id = h.credential(r, &f) //nolint:contextcheck // r has it
	}
	if tenantKnown {
		h.correct(ctx, id, &f)
		return f
	}
	if t := h.tenant(r, id.Tenant, &f); !t.IsZero() { //nolint:contextcheck // r has it
		entaudit.SetTenant(ctx, t)
		if id.Tenant.IsZero() || id.Unverified {
			f.unproven = t
		}
	}
	return f
}

// correct has the tenant that a credential proves take the place of one that the request
// merely asked another handler for.
func (h *handler) correct(ctx context.Context, id Identity, f *finding) {
	known, _ := entaudit.TenantFrom(ctx)
	asked := slices.ContainsFunc(findingsOf(ctx), func(fs *findings) bool { return fs.onlyAsked(known) })
	if !asked || id.Tenant.IsZero() || id.Unverified {
		return
	}
	entaudit.SetTenant(ctx, id.Tenant)
	if how := compare(id.Tenant, known); how != agreed {
		f.accord, f.asked = how, cmp.Or(known.ID, known.Slug)
	}
}

// credential asks Options.Actor.
func (h *handler) credential(r *http.Request, f *finding) Identity {
	id, err := ask(h, r, h.opts.Actor)
	if err == nil {
		return id
	}
	f.auth = authReason(err)
	var auth *AuthError
	if errors.As(err, &auth) {
		f.fingerprint, f.subject = auth.Fingerprint, auth.Subject
	}
	if knows(err) {
		return id
	}
	return Identity{}
}

// resolve asks the resolvers in order. A credential that is not valid does not
// keep the next resolver from knowing who it is; its reason is told in any case.
func (h *handler) resolve(r *http.Request, f *finding) (id Identity) {
	if h.opts.Actor != nil {
		id = h.credential(r, f)
	}
	if id.Actor.IsZero() && h.opts.Identify != nil {
		own, err := ask(h, r, h.identifier)
		switch {
		case err != nil && f.auth == "":
			f.auth = authReason(err)
		case err == nil:
			id.Actor = own.Actor
		}
	}
	return id
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
func ask[T any](h *handler, r *http.Request, resolve func(*http.Request) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold the credential: only its type is told.
			v, err = *new(T), &AuthError{Reason: ReasonAuthFailed, Err: fmt.Errorf("resolver panicked with %T", p)}
			h.failures.log(r.Context(), err)
		}
	}()
	return resolve(r)
}

// findingsKey is the context key of the *findings of a request that is not
// recorded.
type findingsKey struct{}

// silent identifies the requests of a Recorder that is off: who may do what must not
// depend on whether it is recorded.
func (h *handler) silent(next http.Handler) http.Handler {
	if h.opts.Actor == nil && h.opts.Identify == nil && len(h.tenants) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		fs, ok := ctx.Value(findingsKey{}).(*findings)
		if !ok {
			fs = &findings{}
			ctx = context.WithValue(ctx, findingsKey{}, fs)
		}
		if _, known := entaudit.RequestFrom(ctx); !known { // else another Recorder has it
			ctx = entaudit.WithRequest(ctx, entaudit.Request{IP: peer(r.RemoteAddr)})
		}
		r = r.WithContext(ctx)
		fs.add(h.identify(r))
		next.ServeHTTP(w, r)
	})
}

// findingsOf returns what was found about the request, by the handlers of each
// Recorder.
func findingsOf(ctx context.Context) []*findings {
	var all []*findings
	c, _ := ctx.Value(captureKey{}).(*capture)
	for ; c != nil; c = c.outer {
		all = append(all, &c.findings)
	}
	if fs, ok := ctx.Value(findingsKey{}).(*findings); ok {
		all = append(all, fs)
	}
	return all
}
