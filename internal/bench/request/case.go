package request

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/golang-jwt/jwt/v5"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// Case is one kind of request.
type Case struct {
	Name string
	// Bodies says that there is JSON of a kilobyte in both directions, which those that
	// can record bodies are to record.
	Bodies bool
	// Actor says that a credential tells who asks.
	Actor bool

	request func() *http.Request
	header  http.Header // of the response
	options chiaudit.Options
	close   func(context.Context) error
}

// Cases returns the kinds of requests: plain has no body, body1k has JSON of a kilobyte
// in both directions, jwt-es256 has no body and the same token each time.
func Cases(ctx context.Context) ([]Case, error) {
	token, j, err := signed(ctx)
	if err != nil {
		return nil, err
	}
	return []Case{
		{Name: "plain", request: get(ctx, "")},
		{
			Name: "body1k", Bodies: true, request: post(ctx, Body()),
			header:  http.Header{"Content-Type": {"application/json"}},
			options: chiaudit.Options{ResponseBody: true},
		},
		{
			Name: "jwt-es256", Actor: true, request: get(ctx, "Bearer "+token),
			options: chiaudit.Options{Actor: j.Actor}, close: j.Close,
		},
	}, nil
}

// Close ends what the cases have started.
func Close(ctx context.Context, cases []Case) error {
	for _, c := range cases {
		if c.close != nil {
			if err := c.close(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// Body returns a kilobyte of JSON in which one value of four is masked.
func Body() []byte {
	return []byte(`{"items":[` + strings.Repeat(`{"id":12345,"name":"something","price":"12.50","token":"abc"},`, 16) + `{}]}`)
}

// signed returns a token that is signed with ES256, and what verifies it.
func signed(ctx context.Context) (string, *chiaudit.JWT, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, fmt.Errorf("make key: %w", err)
	}
	claims := jwt.MapClaims{"sub": "alice", "iss": "bench", "aud": "bench", "exp": time.Now().Add(24 * time.Hour).Unix()}
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
	if err != nil {
		return "", nil, fmt.Errorf("sign token: %w", err)
	}
	j, err := chiaudit.NewJWT(ctx, chiaudit.JWTConfig{PublicKey: &key.PublicKey, Issuer: "bench", Audience: []string{"bench"}})
	return token, j, err
}

// get returns a function that makes the same request again and again.
func get(ctx context.Context, authorization string) func() *http.Request {
	r := newRequest(ctx, http.MethodGet, "/invoices/42?page=2")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return func() *http.Request { return r }
}

func post(ctx context.Context, body []byte) func() *http.Request {
	r := newRequest(ctx, http.MethodPost, "/invoices")
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	reader := bytes.NewReader(nil)
	closer := io.NopCloser(reader)
	return func() *http.Request {
		reader.Reset(body)
		r.Body = closer
		return r
	}
}

func newRequest(ctx context.Context, method, target string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		panic(err) // the arguments are constants
	}
	r.RemoteAddr, r.Host, r.RequestURI = "192.0.2.1:1234", "example.com", target
	r.Header.Set("User-Agent", "Mozilla/5.0")
	return r
}

// router returns a router with the middleware, and what the cases ask for.
func router(use func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	if use != nil {
		r.Use(use)
	}
	r.Get("/invoices/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r.Post("/invoices", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = w.Write(data) // into a writer that cannot fail
	})
	return r
}

// blank is a ResponseWriter that costs nothing.
type blank struct {
	header http.Header
	status int
	size   int
}

func (b *blank) Header() http.Header { return b.header }

func (b *blank) Write(p []byte) (int, error) {
	b.size += len(p)
	return len(p), nil
}

func (b *blank) WriteHeader(status int) { b.status = status }

func (b *blank) Flush() {}

// Discard returns a Writer that keeps nothing.
func Discard() entaudit.Writer {
	return entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil })
}
