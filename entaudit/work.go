package entaudit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Reasons of entries about work that did not succeed, beside the codes of
// [ErrorCode].
const (
	ReasonPanic     = "panic"     // it panicked; the panic went on
	ReasonGoexit    = "goexit"    // its goroutine was ended by runtime.Goexit, or left without an End
	ReasonTimeout   = "timeout"   // its deadline passed
	ReasonCancelled = "cancelled" // its context was cancelled
)

// Work is something that takes time and has one entry when it has ended: a job, a
// call, a stream. It is safe for concurrent use. See [Recorder.Begin].
type Work struct {
	rec   *Recorder
	ctx   context.Context // its origin is the entry's
	id    uuid.UUID
	begun time.Time

	mu    sync.Mutex
	entry Entry // as Prepare takes it
	ended bool
}

// Begin begins work of any kind that is not one of chi's requests, such as a gRPC call
// or a consumer's message, and returns the context that it runs under and the Work to end:
//
//	ctx, work := rec.Begin(ctx, entaudit.Entry{Action: "/billing.Invoices/Pay", Request: entaudit.Request{IP: peer}})
//	defer work.Abort()
//	resp, err := handler(ctx, req)
//	lost := work.End(err)
//
// Of e it takes Action, Kind, Resource, Metadata, Actor, Tenant, Request and CauseID. Kind
// defaults to request, which also stands, with [MarkReplaced], for one that this package
// does not define. Actor and Tenant, where given, hold for everything that runs under the
// context, as with [WithActor], and win over Config.Actor and Config.Tenant; where not,
// they are what ctx and Config say. The Request holds for it as well; its id defaults to
// that of the entry: entries with this request_id happened inside. [SetActor],
// [SetTenant] and [SetRequest] under the context reach the entry. The entry of work
// inside of other work has it as its cause; the id of a request around it is in its
// metadata, as request_id.
func (r *Recorder) Begin(ctx context.Context, e Entry) (context.Context, *Work) {
	w := &Work{rec: r, id: r.newID(), begun: r.now()}
	outer := originFrom(ctx)
	h := &holder{origin: originOf(ctx), entry: w.id}
	h.origin.Origin = h.origin.clone()
	w.entry = Entry{
		Action: cmp.Or(e.Action, "unnamed"), Kind: cmp.Or(e.Kind, KindRequest), Resource: e.Resource,
		OccurredAt: w.begun, CauseID: e.CauseID,
	}
	w.entry.mendKind(KindRequest)
	h.internal = w.entry.Kind != KindRequest && !outer.anonymous()
	w.annotate(e)
	switch {
	case outer.holder == nil:
	case outer.holder.entry != uuid.Nil:
		w.entry.CauseID = outer.holder.entry
	case h.origin.Request.ID != "":
		w.note("request_id", h.origin.Request.ID)
	}
	h.origin.Request = e.Request
	h.origin.Request.ID = cmp.Or(e.Request.ID, w.id.String())
	h.origin.Request.TraceID = cmp.Or(e.Request.TraceID, outer.request().Request.TraceID)
	var m Mark
	if h.origin.Request.Query, m = r.redact.Query(e.Request.Query); m != "" {
		w.entry.mark("query", m)
	}
	if !e.Actor.IsZero() {
		h.origin.nameActor(e.Actor.clone(), outer.anonymous())
	}
	if !e.Tenant.IsZero() {
		h.origin.nameTenant(e.Tenant)
	}
	w.ctx = outer.under(h).in(ctx)
	return w.ctx, w
}

// ID returns the id of the entry.
func (w *Work) ID() uuid.UUID { return w.id }

// Annotate adds to the entry: [Because], [Ended], [Metadata], [ByUser]. What is given later
// replaces what was given before, metadata name by name. An outcome and an actor that
// are given are marked as overrides; an outcome that this package does not define becomes
// [Unknown], with [MarkReplaced]. Metadata is copied and masked before it returns. It
// does nothing once the work has ended.
func (w *Work) Annotate(opts ...LogOption) {
	var e Entry
	for _, opt := range opts {
		opt(&e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.annotate(e)
	w.entry.Action = cmp.Or(e.Action, w.entry.Action)
	w.entry.Reason = cmp.Or(e.Reason, w.entry.Reason)
	w.entry.Outcome = cmp.Or(e.Outcome, w.entry.Outcome)
	if e.Resource != (Resource{}) {
		w.entry.Resource = e.Resource
	}
	if !e.Actor.IsZero() {
		w.entry.Actor = e.Actor.clone()
	}
}

// annotate copies the metadata of e.
func (w *Work) annotate(e Entry) {
	metadata := w.rec.redact.Metadata(e.Metadata, func(path string, m Mark) { w.entry.mark(within("metadata", path), m) })
	if w.entry.Metadata == nil {
		w.entry.Metadata = metadata
		return
	}
	maps.Copy(w.entry.Metadata, metadata)
}

func (w *Work) note(name string, v any) {
	if w.entry.Metadata == nil {
		w.entry.Metadata = make(map[string]any)
	}
	w.entry.Metadata[name] = v
}

// End writes the entry: success for a nil error, aborted where the context was
// cancelled or its deadline passed, else failure with the error's code as
// reason ([ErrorCode]; never its text). It returns the error of writing the entry, as
// [Recorder.Deliver] does. Only the first call of End or [Work.Abort] counts.
func (w *Work) End(err error) error {
	outcome, reason := Success, ""
	switch cause := w.ctx.Err(); {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(cause, context.DeadlineExceeded):
		outcome, reason = Aborted, ReasonTimeout
	case errors.Is(err, context.Canceled), errors.Is(cause, context.Canceled):
		outcome, reason = Aborted, ReasonCancelled
	default:
		outcome, reason = Failure, ErrorCode(err)
	}
	return w.end(outcome, reason)
}

// Abort ends work that has not been ended: it is meant to be deferred, right after
// [Recorder.Begin]. In a panic the entry says failure, and the panic goes on unchanged;
// otherwise the goroutine is being ended, or left without a call of End, and it
// says aborted. An error of writing the entry is logged.
func (w *Work) Abort() {
	p := recover()
	outcome, reason := Aborted, ReasonGoexit
	if p != nil {
		outcome, reason = Failure, ReasonPanic
	}
	if err := w.end(outcome, reason); err != nil {
		slog.ErrorContext(w.ctx, "entaudit: an entry is lost", "id", w.id, "error", err)
	}
	if p != nil {
		panic(p)
	}
}

func (w *Work) end(outcome Outcome, reason string) error {
	if !w.finish(outcome, reason) || w.rec.cfg.Off {
		return nil
	}
	n := w.rec.complete(w.ctx, w.entry) // nobody changes it any more
	n.finish()                          // the work has been done: nothing is refused
	n.ID = w.id
	return w.rec.Deliver(w.ctx, n)
}

// finish completes the entry. It reports false where that has been done.
func (w *Work) finish(outcome Outcome, reason string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.ended = true
	e := &w.entry
	e.Duration = w.rec.now().Sub(w.begun).Truncate(time.Microsecond)
	if e.Outcome != "" && e.Outcome != outcome {
		e.mark("outcome", MarkOverride)
	}
	e.Outcome = cmp.Or(e.Outcome, outcome)
	if e.Reason != "" && reason != "" {
		w.note("ending", reason)
	}
	e.Reason = cmp.Or(e.Reason, reason)
	return true
}

// Run runs fn as a job: a cron run, a migration, a message's consumer, a command. It
// leaves one entry of kind job with its outcome and duration, whose id is the request id
// of everything that fn records under its context. An actor that is not zero acts in
// fn, whatever Config.Actor says; otherwise whoever acts under ctx does. It returns what fn returns, and where
// Config.OnError is set what that makes of an entry that could not be written; without
// one such an error is logged, since the work has been done. A panic of fn goes on
// unchanged. See [Recorder.Begin] for the rest.
func (r *Recorder) Run(ctx context.Context, name string, actor Actor, fn func(context.Context) error) error {
	if name == "" {
		return errors.New("entaudit: run: the name is empty")
	}
	ctx, w := r.Begin(ctx, Entry{Kind: KindJob, Action: name, Actor: actor})
	defer w.Abort() //nolint:contextcheck // it has the job's
	err := fn(ctx)
	lost := w.End(err) //nolint:contextcheck // as above
	if lost != nil && r.cfg.OnError == nil {
		slog.ErrorContext(ctx, "entaudit: an entry is lost", "id", w.id, "error", lost)
		lost = nil
	}
	if lost != nil {
		return errors.Join(err, fmt.Errorf("entaudit: run %s: %w", name, lost))
	}
	return err
}
