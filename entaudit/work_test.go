package entaudit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestRunLeavesOneEntryT09(t *testing.T) {
	t.Parallel()
	disk := errors.New("disk full")
	for _, tt := range []struct {
		name    string
		fn      func(ctx context.Context) error
		err     error
		outcome entaudit.Outcome
		reason  string
	}{
		{"success", func(context.Context) error { return nil }, nil, entaudit.Success, ""},
		{"failure", func(context.Context) error { return disk }, disk, entaudit.Failure, "errors.errorString"},
		{"cancelled", func(context.Context) error { return fmt.Errorf("x: %w", context.Canceled) }, context.Canceled, entaudit.Aborted, entaudit.ReasonCancelled},
		{"timeout", func(context.Context) error { return context.DeadlineExceeded }, context.DeadlineExceeded, entaudit.Aborted, entaudit.ReasonTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec, w := setup(t, entaudit.Config{Service: "billing"})
				err := rec.Run(t.Context(), "nightly", entaudit.Actor{ID: "cron", Type: entaudit.ActorJob}, func(ctx context.Context) error {
					<-time.After(3 * time.Second)
					require.NoError(t, rec.Log(ctx, "invoice.close", "invoice", "7"))
					return tt.fn(ctx)
				})
				require.ErrorIs(t, err, tt.err)

				entries := w.all()
				require.Len(t, entries, 2)
				inside, job := entries[0], entries[1]
				require.Equal(t, entaudit.KindJob, job.Kind)
				require.Equal(t, "nightly", job.Action)
				require.Equal(t, tt.outcome, job.Outcome)
				require.Equal(t, tt.reason, job.Reason)
				require.Equal(t, 3*time.Second, job.Duration)
				require.Equal(t, entaudit.Actor{ID: "cron", Type: entaudit.ActorJob}, job.Actor)
				require.Zero(t, job.Tenant)
				require.Nil(t, job.Marks)
				require.Equal(t, job.ID.String(), job.Request.ID)
				require.Equal(t, job.ID.String(), inside.Request.ID)
				require.Equal(t, job.Actor, inside.Actor)
				require.True(t, job.OccurredAt.Before(inside.OccurredAt))
				require.Less(t, job.ID.String(), inside.ID.String(), "a job begins before what it does")
			})
		})
	}
}

func TestRunWithoutActorIsOfTheSystemT09(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	nothing := func(context.Context) error { return nil }
	require.NoError(t, rec.Run(t.Context(), "migrate", entaudit.Actor{}, nothing))
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorSystem}, w.one(t).Actor)
	require.NoError(t, rec.Run(entaudit.WithRequest(t.Context(), entaudit.Request{ID: "r1"}), "send", entaudit.Actor{}, nothing))
	e := w.all()[1]
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor, "whoever asked for it, nobody knows him")
	require.Equal(t, map[string]any{"request_id": "r1"}, e.Metadata)
	require.ErrorContains(t, rec.Run(t.Context(), "", entaudit.Actor{}, nothing), "name is empty")
	require.Len(t, w.all(), 2)
}

func TestRunLetsPanicsGoOn(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	what := &struct{ int }{7}
	require.PanicsWithValue(t, what, func() {
		_ = rec.Run(t.Context(), "nightly", entaudit.Actor{}, func(context.Context) error { panic(what) })
	})
	e := w.one(t)
	require.Equal(t, entaudit.Failure, e.Outcome)
	require.Equal(t, entaudit.ReasonPanic, e.Reason)
}

func TestRunSeesGoexit(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	returned := false
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = rec.Run(t.Context(), "nightly", entaudit.Actor{}, func(context.Context) error { runtime.Goexit(); return nil })
		returned = true
	})
	wg.Wait()
	require.False(t, returned)
	e := w.one(t)
	require.Equal(t, entaudit.Aborted, e.Outcome)
	require.Equal(t, entaudit.ReasonGoexit, e.Reason)
}

func TestRunToldByItsContextThatItIsOver(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	err := rec.Run(ctx, "nightly", entaudit.Actor{}, func(context.Context) error { cancel(); return io.ErrClosedPipe })
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, entaudit.Aborted, w.one(t).Outcome)
	require.NoError(t, rec.Run(ctx, "nightly", entaudit.Actor{}, func(context.Context) error { return nil }))
	require.Equal(t, entaudit.Success, w.all()[1].Outcome, "it says that it is done")
}

func TestNestedRunHasItsCause(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	ctx := entaudit.WithTenant(entaudit.WithActor(t.Context(), alice), acme)
	require.NoError(t, rec.Run(ctx, "outer", entaudit.Actor{}, func(ctx context.Context) error {
		return rec.Run(ctx, "inner", bob, func(context.Context) error { return nil })
	}))
	inner, outer := w.all()[0], w.all()[1]
	require.Equal(t, outer.ID, inner.CauseID)
	require.Equal(t, inner.ID.String(), inner.Request.ID)
	require.Equal(t, []entaudit.Actor{alice, bob}, []entaudit.Actor{outer.Actor, inner.Actor})
	require.Equal(t, acme, inner.Tenant)
	require.Empty(t, inner.Metadata)
}

func TestRunWhoseEntryIsLostT02(t *testing.T) {
	t.Parallel()
	broken := &memory{write: func(context.Context, []entaudit.Entry) error { return errors.New("disk full") }}
	done := 0
	job := func(context.Context) error { done++; return nil }
	rec, _ := setup(t, entaudit.Config{Writer: broken})
	require.NoError(t, rec.Run(t.Context(), "nightly", entaudit.Actor{}, job), "the job would be done again")
	rec, _ = setup(t, entaudit.Config{Writer: broken, OnError: func(_ context.Context, err error) error { return err }})
	require.EqualError(t, rec.Run(t.Context(), "nightly", entaudit.Actor{}, job), "entaudit: run nightly: entaudit: write entry: disk full")
	require.Equal(t, 2, done)
}

func TestRunWhileOffT01(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{Off: true})
	w.mu.Lock()
	w.entries = nil
	w.mu.Unlock()
	require.NoError(t, rec.Run(t.Context(), "nightly", alice, func(ctx context.Context) error {
		a, _ := entaudit.ActorFrom(ctx)
		require.Equal(t, alice, a)
		return nil
	}))
	require.Empty(t, w.all())
}

func TestBeginIsARequestOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	metadata := map[string]any{"token": "canary-1", "list": []string{"a"}}
	ctx, work := rec.Begin(t.Context(), entaudit.Entry{
		Action:  "/billing.Invoices/Pay",
		Request: entaudit.Request{ID: "r1", TraceID: "t1", IP: "192.0.2.1", Query: "password=canary-2"}, Metadata: metadata,
	})
	require.True(t, entaudit.SetActor(ctx, alice))
	require.True(t, entaudit.SetTenant(ctx, acme))
	entaudit.SetRequest(ctx, func(r *entaudit.Request) { r.StatusCode = 7 })
	more := map[string]any{"n": 1}
	work.Annotate(entaudit.Metadata(more), entaudit.Because("over limit"), entaudit.Ended(entaudit.Denied))
	more["n"] = 2
	metadata["list"].([]string)[0] = "!"
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	require.NoError(t, work.End(errors.New("canary-3")))
	require.NoError(t, work.End(nil), "only the first counts")
	work.Annotate(entaudit.Because("too late"))
	work.Abort()

	entries := w.all()
	require.Len(t, entries, 2)
	e := entries[1]
	require.Equal(t, work.ID(), e.ID)
	require.Equal(t, entaudit.KindRequest, e.Kind)
	require.Equal(t, entaudit.Denied, e.Outcome)
	require.Equal(t, "over limit", e.Reason)
	require.Equal(t, alice, e.Actor)
	require.Equal(t, acme, e.Tenant)
	require.Equal(t, entaudit.Request{ID: "r1", TraceID: "t1", IP: "192.0.2.1", Query: "password=[REDACTED]", StatusCode: 7}, e.Request)
	require.Equal(t, "errors.errorString", e.Metadata["ending"])
	require.Equal(t, []any{"a"}, e.Metadata["list"])
	require.EqualValues(t, "1", fmt.Sprint(e.Metadata["n"]))
	require.Equal(t, map[string]entaudit.Mark{
		"outcome": entaudit.MarkOverride, "metadata.token": entaudit.MarkRedacted, "query": entaudit.MarkRedacted,
	}, e.Marks)
	require.Equal(t, "r1", entries[0].Request.ID)
	require.Equal(t, alice, entries[0].Actor)
	data, err := e.MarshalJSON()
	require.NoError(t, err)
	require.NotContains(t, string(data), "canary")
}

// TestWorkIsNotLostForWhatItIsCalled has what has been done leave its entry, whatever the
// caller says of it.
func TestWorkIsNotLostForWhatItIsCalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		begin   entaudit.Entry
		opts    []entaudit.LogOption
		kind    entaudit.Kind
		outcome entaudit.Outcome
		actor   entaudit.ActorType
		marks   map[string]entaudit.Mark
	}{
		{
			"a kind that there is not",
			entaudit.Entry{Action: "/billing.Pay", Kind: "rpc"},
			nil,
			entaudit.KindRequest, entaudit.Success, entaudit.ActorAnonymous,
			map[string]entaudit.Mark{"kind": entaudit.MarkReplaced},
		},
		{
			"an outcome that there is not",
			entaudit.Entry{Action: "/billing.Pay"},
			[]entaudit.LogOption{entaudit.Ended("refused")},
			entaudit.KindRequest, entaudit.Unknown, entaudit.ActorAnonymous,
			map[string]entaudit.Mark{"outcome": entaudit.MarkReplaced},
		},
		{
			"and then one that there is",
			entaudit.Entry{Action: "/billing.Pay"},
			[]entaudit.LogOption{entaudit.Ended("refused"), entaudit.Ended(entaudit.Denied)},
			entaudit.KindRequest, entaudit.Denied, entaudit.ActorAnonymous,
			map[string]entaudit.Mark{"outcome": entaudit.MarkOverride},
		},
		{
			"what it does not take",
			entaudit.Entry{Kind: entaudit.KindJob, Operation: "tidy", Outcome: "fine"},
			nil,
			entaudit.KindJob, entaudit.Success, entaudit.ActorSystem, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, w := setup(t, entaudit.Config{})
			_, work := rec.Begin(t.Context(), tt.begin)
			for _, opt := range tt.opts {
				work.Annotate(opt)
			}
			require.NoError(t, work.End(nil))
			e := w.one(t)
			require.Equal(t, tt.kind, e.Kind)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Empty(t, e.Operation)
			require.Equal(t, tt.actor, e.Actor.Type)
			require.Equal(t, tt.marks, e.Marks)
		})
	}
}

func TestFinishReplacesWhatNoStoreTakes(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	e := rec.NewEntry("rpc", entaudit.Origin{})
	e.Operation, e.Outcome = "tidy", "fine"
	require.Error(t, rec.Record(t.Context(), e), "who can be told is told")
	rec.Finish(&e)
	require.Equal(t, []any{entaudit.KindManual, "unnamed", entaudit.Operation(""), entaudit.Unknown}, []any{e.Kind, e.Action, e.Operation, e.Outcome})
	require.Equal(t, map[string]entaudit.Mark{
		"action": entaudit.MarkReplaced, "kind": entaudit.MarkReplaced, "operation": entaudit.MarkReplaced, "outcome": entaudit.MarkReplaced,
	}, e.Marks)
}

func TestTraceFillsWhatTheRequestDoesNotSay(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{Trace: func(context.Context) string { return "span" }})
	require.NoError(t, rec.Log(t.Context(), "look", "invoice", "1"))
	require.NoError(t, rec.Log(entaudit.WithRequest(t.Context(), entaudit.Request{TraceID: "header"}), "look", "invoice", "1"))
	require.Equal(t, []string{"span", "header"}, []string{w.all()[0].Request.TraceID, w.all()[1].Request.TraceID})
	rec, w = setup(t, entaudit.Config{Trace: func(context.Context) string { panic("canary") }})
	require.NoError(t, rec.Log(t.Context(), "look", "invoice", "1"))
	require.Empty(t, w.one(t).Request.TraceID)
}
