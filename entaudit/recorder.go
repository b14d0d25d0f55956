package entaudit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Defaults of [Config].
const (
	DefaultTable    = "audit_logs"
	DefaultGrace    = 30 * time.Second
	DefaultMaxValue = 1 << 20
)

// Config holds the settings of a [Recorder]. The zero value is usable: entries
// of mutations go to the table audit_logs in the mutation's own transaction,
// all others are logged through slog.
type Config struct {
	// Service names the program in every entry.
	Service string
	// Writer receives entries that do not belong to a mutation's transaction.
	// Nil logs them through slog at level INFO.
	Writer Writer
	// Actor tells who acts under a context for which the program has not named an
	// actor by [WithActor], [WithOrigin], [Recorder.Begin] or [Recorder.Run]: there it is
	// not asked. It comes before what is set on a request, by [SetActor] and so by
	// chiaudit. Services that authenticate by themselves plug in here. It must be
	// fast and safe for concurrent use. Where it panics nobody is known, whatever
	// the request says: the entry is kept, with a mark.
	Actor func(context.Context) (Actor, bool)
	// Tenant tells the tenant of a context, like Actor, unless [WithTenant] and its
	// like have named one.
	Tenant func(context.Context) (Tenant, bool)
	// Trace tells the trace id of a context, where the request's own headers did not.
	// Package otelaudit has one. It must be fast and safe for concurrent use.
	Trace func(context.Context) string
	// Redact adds to what is masked.
	Redact Redact
	// OnError decides what a failing audit write means. What it returns is
	// returned to the caller, and for a mutation undoes the change; nil lets the
	// change stand without its entry. A nil OnError fails closed for mutations
	// and [Recorder.Record], and logs the error for requests.
	OnError func(ctx context.Context, err error) error
	// Off lets everything pass unrecorded. One entry of kind system says so
	// when the Recorder is made.
	Off bool
	// NoChanges lets mutations pass unrecorded, without a statement more; requests and
	// the program's own entries are recorded. One entry of kind system says so when the
	// Recorder is made.
	NoChanges bool
	// Failures has mutations recorded too that were denied by a privacy policy or
	// failed: with their outcome and reason, once the transaction they ran in has
	// ended, through Writer. Their values are not recorded, and reads never are. The
	// Writer must not wait for a connection that the mutation's own caller holds: give
	// it a queue, or a pool of its own. Errors of creates arrive wrapped.
	Failures bool
	// SummaryAbove has an update or delete of more rows than this leave one entry of
	// operation summary in place of one for each row: how many they were, the
	// predicate that chose them, what was set, and a sum of hashes of their ids. The
	// old values are lost with it. Zero means never.
	SummaryAbove int
	// AfterCommit hands the entries of mutations to Writer once their
	// transaction has committed instead of storing them inside it. A crash in
	// between loses them, and entries of a savepoint that is rolled back stay: it is
	// meant for tests and for databases that cannot hold the table. On a transaction of
	// database/sql that the caller gave to ent's driver nobody tells of the commit:
	// entries are handed over at once there.
	AfterCommit bool
	// Table is the name of the audit table in the application's database,
	// optionally with a schema in front: "audit_logs" or "audit.audit_logs".
	// Empty means DefaultTable.
	Table string
	// Grace is how long a transaction that has begun to write may still run
	// once the caller's context is done. Zero means DefaultGrace.
	Grace time.Duration
	// MaxValue is the size in bytes of a recorded value, of a field or of
	// metadata, above which it is cut. Zero means DefaultMaxValue.
	MaxValue int
}

var tableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}$`)

// ValidTable reports whether name can name an audit table: one identifier, or two with
// a dot between them.
func ValidTable(name string) bool { return tableName.MatchString(name) }

func (c Config) trace(ctx context.Context) (string, bool) {
	if c.Trace == nil {
		return "", false
	}
	return c.Trace(ctx), true
}

func (c Config) validate() error {
	switch {
	case !ValidTable(c.Table):
		return fmt.Errorf("entaudit: Config.Table: %q is not a table name", c.Table)
	case c.Grace < 0:
		return fmt.Errorf("entaudit: Config.Grace: %v is negative", c.Grace)
	case c.MaxValue < 0:
		return fmt.Errorf("entaudit: Config.MaxValue: %d is negative", c.MaxValue)
	case c.SummaryAbove < 0:
		return fmt.Errorf("entaudit: Config.SummaryAbove: %d is negative", c.SummaryAbove)
	case c.AfterCommit && c.Writer == nil:
		return errors.New("entaudit: Config.AfterCommit: needs a Writer")
	}
	return nil
}

// Recorder turns what happens into entries and delivers them. It is safe for
// concurrent use and is meant to be made once per program.
type Recorder struct {
	cfg    Config
	redact *Redactor
	now    func() time.Time
	newID  func() uuid.UUID
	closed atomic.Bool
	memo   sync.Map
}

// New returns a Recorder with the settings of c, or an error that names the
// field that is wrong.
func New(c Config) (*Recorder, error) {
	c.Table = cmp.Or(c.Table, DefaultTable)
	c.Grace = cmp.Or(c.Grace, DefaultGrace)
	c.MaxValue = cmp.Or(c.MaxValue, DefaultMaxValue)
	if err := c.validate(); err != nil {
		return nil, err
	}
	redact, err := NewRedactor(c.Redact)
	if err != nil {
		return nil, err
	}
	redact.limit = c.MaxValue
	if c.Writer == nil {
		c.Writer = NewSlog(nil)
	}
	r := &Recorder{cfg: c, redact: redact, now: time.Now, newID: newID}
	switch {
	case c.Off:
		err = r.announce("audit.off", "Config.Off", "entaudit: recording is off")
	case c.NoChanges:
		err = r.announce("audit.changes_off", "Config.NoChanges", "entaudit: changes are not recorded")
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// announce leaves the one entry that says that something is switched off.
//
//nolint:contextcheck // it belongs to the program, not to whoever makes the Recorder
func (r *Recorder) announce(action, field, warning string) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.cfg.Grace)
	defer cancel()
	slog.Warn(warning, "service", r.cfg.Service)
	e := r.NewEntry(KindSystem, Origin{Actor: Actor{Type: ActorSystem}})
	e.Action, e.Operation, e.Outcome, e.Reason = action, OpSwitch, Success, field
	e.finish()
	if err := CallWriter(ctx, r.cfg.Writer, []Entry{e}); err != nil {
		return fmt.Errorf("entaudit: %s: record that it is set: %w", field, err)
	}
	return nil
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Config returns the settings in force, with defaults filled in.
func (r *Recorder) Config() Config { return r.cfg }

// Off reports whether everything passes unrecorded.
func (r *Recorder) Off() bool { return r.cfg.Off }

// RecordsChanges reports whether mutations are recorded: neither Config.Off nor
// Config.NoChanges is set.
func (r *Recorder) RecordsChanges() bool { return !r.cfg.Off && !r.cfg.NoChanges }

// Redactor returns what masks secrets in this Recorder's entries.
func (r *Recorder) Redactor() *Redactor { return r.redact }

// Origin returns what is known about who acts under ctx. An actor that [WithActor],
// [WithOrigin], [Recorder.Begin] or [Recorder.Run] named comes first, then that of
// Config.Actor, then that of the request, set by [SetActor]; with the tenant it is the
// same. The actor is never blank: it is anonymous inside a request and system outside
// of one. It does not panic where Config's functions do: what they were asked for is then
// unknown and marked so.
func (r *Recorder) Origin(ctx context.Context) Origin {
	k := originOf(ctx)
	o := k.Origin
	if !k.namedActor {
		if a, said := ask(ctx, "Config.Actor", r.cfg.Actor); said != silent {
			o.Actor = a
			o.doubt("actor", said)
		}
	}
	if !k.namedTenant {
		if t, said := ask(ctx, "Config.Tenant", r.cfg.Tenant); said != silent {
			o.Tenant = t
			o.doubt("tenant", said)
		}
	}
	if o.Request.TraceID == "" {
		o.Request.TraceID, _ = ask(ctx, "Config.Trace", r.cfg.trace)
	}
	if o.Actor.Type == "" {
		switch {
		case o.Actor.ID != "":
			// An id without a type is kept as it is: nobody said what it is.
		case originFrom(ctx).anonymous():
			o.Actor.Type = ActorAnonymous
		default:
			o.Actor.Type = ActorSystem
		}
	}
	return o
}

// answer is what a function of the caller's had to say.
type answer int

const (
	silent answer = iota // it does not know, or there is none
	told
	panicked
)

// ask calls f, which is the caller's and may panic. The value of a panic may hold
// a token: nothing but its type is logged.
func ask[T any](ctx context.Context, name string, f func(context.Context) (T, bool)) (v T, a answer) {
	if f == nil {
		return v, silent
	}
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "entaudit: "+name+" panicked", "type", fmt.Sprintf("%T", p))
			v, a = *new(T), panicked
		}
	}()
	if t, ok := f(ctx); ok {
		return t, told
	}
	return v, silent
}

// NewEntry returns an entry of kind k that begins now and carries o. Its id is
// later than those of all entries made before it in this process. The outcome
// is [Unknown] until it is set.
func (r *Recorder) NewEntry(k Kind, o Origin) Entry {
	e := Entry{
		ID:            r.newID(),
		SchemaVersion: SchemaVersion,
		Service:       r.cfg.Service,
		Kind:          k,
		Outcome:       Unknown,
		OccurredAt:    r.now().UTC().Truncate(time.Microsecond),
		Actor:         o.Actor.clone(),
		Tenant:        o.Tenant,
		ActorTenantID: o.Tenant.ID,
		Request:       o.Request,
	}
	for path, m := range o.Marks {
		e.mark(path, m)
	}
	return e
}

// Finish makes e fit to be stored: over-long values are cut, NUL bytes and
// invalid UTF-8 escaped, and a blank action, a kind, operation or outcome that this
// package does not define replaced, by "unnamed", manual, none and unknown; each with a
// mark. Entries that reach a Writer through this package are finished already.
func (r *Recorder) Finish(e *Entry) { e.finish() }

// ErrConcurrent is returned, wrapped, by a bulk update or delete that reached rows which
// others changed between their being read and written. Nothing was changed. Outside of
// a transaction of the caller's it is tried again first.
var ErrConcurrent = errors.New("concurrent change; try again")

// ErrClosed is returned, wrapped, for entries that arrive after [Recorder.Close] or
// after the Close of a writer.
var ErrClosed = errors.New("closed")

// Deliver hands finished entries to the Writer. The cancellation of ctx does
// not stop it: the work that the entries tell of has been done. A Writer that panics
// has failed. It returns what Config.OnError makes of an error.
func (r *Recorder) Deliver(ctx context.Context, entries ...Entry) error {
	if r.cfg.Off || len(entries) == 0 {
		return nil
	}
	if r.closed.Load() {
		return r.Failed(ctx, fmt.Errorf("entaudit: write entry: recorder is %w", ErrClosed))
	}
	g := withGrace(ctx, r.cfg.Grace)
	defer g.end()
	if err := CallWriter(g, r.cfg.Writer, entries); err != nil { //nolint:contextcheck // g is ctx with an end of its own
		return r.Failed(ctx, fmt.Errorf("entaudit: write entry: %w", err))
	}
	return nil
}

// Failed returns what Config.OnError makes of err: nil lets the work stand
// without its entry.
func (r *Recorder) Failed(ctx context.Context, err error) error {
	if r.cfg.OnError == nil {
		return err
	}
	return r.cfg.OnError(ctx, err)
}

// Close makes the Recorder refuse further entries and closes its Writer, which
// drains what it has accepted until ctx ends. Mutations keep being recorded: they
// do not depend on the Writer, unless Config.AfterCommit is set. It is idempotent
// and safe for concurrent use: every call closes the Writer, which answers each of
// them for what it could not drain.
func (r *Recorder) Close(ctx context.Context) error {
	r.closed.Store(true)
	return CloseWriter(ctx, r.cfg.Writer)
}

// Check reports whether entries will reach their destination, for the start of a
// program: it asks the Writer, and through wrappers and [Multi] every one behind it that
// is a [Checker]. The table of a mutation's own database is not the Writer's: check
// it with a store on that database. A Recorder that is off has nothing to check.
func (r *Recorder) Check(ctx context.Context) error {
	if r.cfg.Off {
		return nil
	}
	if err := CheckWriter(ctx, r.cfg.Writer); err != nil {
		return fmt.Errorf("entaudit: check: %w", err)
	}
	return nil
}

// Health returns an error while entries wait for longer than they should or get lost, as
// far as the Writer, and every one behind it that is a [Prober], can tell. It is
// cheap enough for a readiness probe.
func (r *Recorder) Health(ctx context.Context) error {
	if err := ProbeWriter(ctx, r.cfg.Writer); err != nil {
		return fmt.Errorf("entaudit: health: %w", err)
	}
	return nil
}

// String prints the delivery, such as "recorder<queue<store>>".
func (r *Recorder) String() string { return "recorder<" + WriterName(r.cfg.Writer) + ">" }
