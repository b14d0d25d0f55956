package entaudit_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

// printer prints what it is given.
var printer = entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
	for _, e := range entries {
		fmt.Printf("%s %s: %s %s/%s %v\n", e.Actor.Type, e.Actor.ID, e.Action, e.Resource.Type, e.Resource.ID, e.Metadata)
	}
	return nil
})

func Example() {
	rec, err := entaudit.New(entaudit.Config{Service: "billing", Writer: printer})
	if err != nil {
		panic(err)
	}
	ctx := entaudit.WithActor(context.Background(), entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser})
	err = rec.Log(ctx, "invoice.send", "invoice", "7", entaudit.Metadata(map[string]any{"to": "post", "api_key": "k-123"}))
	if err != nil {
		panic(err)
	}
	// Output: tenant_user alice: invoice.send invoice/7 map[api_key:[REDACTED] to:post]
}

func ExampleRecorder_Record() {
	rec, err := entaudit.New(entaudit.Config{Writer: printer})
	if err != nil {
		panic(err)
	}
	err = rec.Record(context.Background(), entaudit.Entry{
		Kind:     entaudit.KindJob,
		Action:   "invoices.archive",
		Resource: entaudit.Resource{Type: "archive", ID: "2026-02"},
		Metadata: map[string]any{"count": 12},
	})
	if err != nil {
		panic(err)
	}
	// Output: system : invoices.archive archive/2026-02 map[count:12]
}

func ExampleConfig_onError() {
	full := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return errors.New("disk full") })
	rec, err := entaudit.New(entaudit.Config{
		Writer: full,
		OnError: func(_ context.Context, err error) error {
			fmt.Println("counted and let pass:", err)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(rec.Log(context.Background(), "look", "invoice", "7"))
	// Output:
	// counted and let pass: entaudit: write entry: disk full
	// <nil>
}

func ExampleMulti() {
	rec, err := entaudit.New(entaudit.Config{Writer: entaudit.Multi(entaudit.NewSlog(nil), entaudit.NewSlog(nil))})
	if err != nil {
		panic(err)
	}
	fmt.Println(rec)
	// Output: recorder<multi<slog,slog>>
}
