package entaudit_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

// A job and what happens in it share the job's id.
func ExampleRecorder_Run() {
	var entries []entaudit.Entry
	rec, err := entaudit.New(entaudit.Config{Writer: entaudit.WriterFunc(func(_ context.Context, e []entaudit.Entry) error {
		entries = append(entries, e...)
		return nil
	})})
	if err != nil {
		panic(err)
	}
	cron := entaudit.Actor{ID: "cron", Type: entaudit.ActorJob}
	err = rec.Run(context.Background(), "invoices.remind", cron, func(ctx context.Context) error {
		return rec.Log(ctx, "invoice.remind", "invoice", "7")
	})
	if err != nil {
		panic(err)
	}
	remind, job := entries[0], entries[1]
	fmt.Println(job.Kind, job.Action, job.Outcome, remind.Actor.ID, remind.Request.ID == job.ID.String())
	// Output: job invoices.remind success cron true
}

// A request puts a job into a queue; the worker acts for whoever asked.
func ExampleWithOrigin() {
	rec, err := entaudit.New(entaudit.Config{Writer: printer})
	if err != nil {
		panic(err)
	}
	request := entaudit.WithActor(context.Background(), entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser})
	payload, err := json.Marshal(rec.Origin(request))
	if err != nil {
		panic(err)
	}

	var origin entaudit.Origin
	if err := json.Unmarshal(payload, &origin); err != nil {
		panic(err)
	}
	if err := rec.Log(entaudit.WithOrigin(context.Background(), origin), "report.send", "report", "9"); err != nil {
		panic(err)
	}
	// Output: tenant_user alice: report.send report/9 map[]
}

// An interceptor of another protocol records its calls as chiaudit does requests.
func ExampleRecorder_Begin() {
	rec, err := entaudit.New(entaudit.Config{Writer: printer})
	if err != nil {
		panic(err)
	}
	call := func(ctx context.Context, handler func(context.Context) error) error {
		ctx, work := rec.Begin(ctx, entaudit.Entry{Action: "/billing.Invoices/Pay", Request: entaudit.Request{IP: "192.0.2.1"}})
		defer work.Abort() // panics, runtime.Goexit
		err := handler(ctx)
		if lost := work.End(err); lost != nil {
			fmt.Println(lost)
		}
		return err
	}
	err = call(context.Background(), func(ctx context.Context) error {
		entaudit.SetActor(ctx, entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser})
		return nil
	})
	if err != nil {
		panic(err)
	}
	// Output: tenant_user alice: /billing.Invoices/Pay / map[]
}
