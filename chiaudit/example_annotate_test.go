package chiaudit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/go-chi/chi/v5"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// A handler says what the request was about; what goes for a route is said where it
// is registered.
func ExampleAnnotate() {
	rec, err := entaudit.New(entaudit.Config{Writer: entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			fmt.Println(e.Action, e.Resource.Type, e.Resource.ID, e.Outcome, e.Reason)
		}
		return nil
	})})
	if err != nil {
		panic(err)
	}
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{
		Exclude: []chiaudit.Rule{{Prefix: "/assets"}},
	}))
	r.Get("/assets/*", func(http.ResponseWriter, *http.Request) {})
	r.With(chiaudit.With(chiaudit.RouteOptions{Action: "invoice.approve"})).
		Post("/invoices/{id}/approve", func(_ http.ResponseWriter, r *http.Request) {
			chiaudit.Annotate(r.Context(), chiaudit.Resource("invoice", chi.URLParam(r, "id")), entaudit.Because("within budget"))
		})
	for _, q := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/assets/logo.svg", nil),
		httptest.NewRequest(http.MethodPost, "/invoices/7/approve", nil),
	} {
		r.ServeHTTP(httptest.NewRecorder(), q)
	}
	// Output:
	// invoice.approve invoice 7 success within budget
}
