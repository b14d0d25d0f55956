package chiaudit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/golang-jwt/jwt/v5"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// printer is a Writer that prints what it gets.
func printer() entaudit.Writer {
	return entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			fmt.Printf("%s %d %s %s %s\n", e.Action, e.Request.StatusCode, e.Outcome, e.Actor.Type, e.Actor.ID)
		}
		return nil
	})
}

func ExampleHandler() {
	rec, err := entaudit.New(entaudit.Config{Writer: printer()})
	if err != nil {
		panic(err)
	}
	secret := []byte("an HMAC key of at least 32 bytes, from a vault")
	tokens, err := chiaudit.NewJWT(context.Background(), chiaudit.JWTConfig{Secret: secret})
	if err != nil {
		panic(err)
	}
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: tokens.Actor}))
	r.Delete("/invoices/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := entaudit.ActorFrom(r.Context()); !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})

	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "alice", "actor_type": "tenant_user", "exp": time.Now().Add(time.Minute).Unix(),
	}).SignedString(secret)
	if err != nil {
		panic(err)
	}
	for _, authorization := range []string{"Bearer " + token, ""} {
		q := httptest.NewRequest(http.MethodDelete, "/invoices/7", nil)
		q.Header.Set("Authorization", authorization)
		r.ServeHTTP(httptest.NewRecorder(), q)
	}
	// Output:
	// DELETE /invoices/{id} 204 success tenant_user alice
	// DELETE /invoices/{id} 401 denied anonymous
}

// A service that authenticates by itself, in middleware behind the audit
// middleware, tells who it found with SetActor.
func ExampleHandler_ownAuthentication() {
	rec, err := entaudit.New(entaudit.Config{Writer: printer()})
	if err != nil {
		panic(err)
	}
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			entaudit.SetActor(r.Context(), entaudit.Actor{ID: "bob", Type: entaudit.ActorTenantUser})
			next.ServeHTTP(w, r)
		})
	}
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{}), authenticate)
	r.Get("/invoices", func(http.ResponseWriter, *http.Request) {})
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/invoices", nil))
	// Output:
	// GET /invoices 200 success tenant_user bob
}
