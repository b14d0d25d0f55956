package entaudit

import (
	"context"
	"maps"
	"sync"

	"github.com/google/uuid"
)

// Origin is where a change comes from: who, for which tenant, in which request.
type Origin struct {
	Actor   Actor
	Tenant  Tenant
	Request Request

	// Marks says what could not be told, by its path in the entry ("actor",
	// "tenant"). [Recorder.NewEntry] takes it over.
	Marks map[string]Mark
}

// doubt marks what an answer leaves unknown.
func (o *Origin) doubt(path string, a answer) {
	o.settle(path)
	if a != panicked {
		return
	}
	o.noteMark(path, MarkUnknown)
}

// noteMark marks a value. Marks may be shared with other contexts.
func (o *Origin) noteMark(path string, m Mark) {
	o.Marks = maps.Clone(o.Marks)
	if o.Marks == nil {
		o.Marks = make(map[string]Mark, 2)
	}
	o.Marks[path] = m
}

// settle forgets what was marked of a value that another takes the place of. Marks may
// be shared with other contexts.
func (o *Origin) settle(path string) {
	o.Marks = maps.Clone(o.Marks)
	delete(o.Marks, path)
}

func (o Origin) clone() Origin {
	o.Actor = o.Actor.clone()
	o.Marks = maps.Clone(o.Marks)
	return o
}

// known is an Origin and which parts of it the program has named for this piece of
// work: those win over what the Recorder's Config says of all of them.
type known struct {
	Origin
	namedActor, namedTenant bool
}

// nameActor has a act in the place of whoever did. In a request whose actor is known that
// is an override.
func (k *known) nameActor(a Actor, inRequest bool) {
	was := k.Actor
	k.Actor, k.namedActor = a, !a.IsZero()
	switch same := was.ID == a.ID && was.Type == a.Type; {
	case same && k.Marks["actor"] == MarkOverride:
		// It still is: work inside of a request begins with what was overridden there.
	case inRequest && was.ID != "" && !same:
		k.noteMark("actor", MarkOverride)
	default:
		k.settle("actor")
	}
}

func (k *known) nameTenant(t Tenant) {
	k.Tenant, k.namedTenant = t, !t.IsZero()
	k.settle("tenant")
}

// originKey is the context key of *origin.
type originKey struct{}

// origin is one layer of what a context knows. Layers are immutable; what may
// change later lives in the holder of the innermost request.
type origin struct {
	actor  *Actor  // set under holder by WithActor
	tenant *Tenant // set under holder by WithTenant
	holder *holder
	skip   *string
	tx     Joiner // set by InTx
}

// holder carries what belongs to one request and may be set while it runs. It
// is safe for concurrent use.
type holder struct {
	mu     sync.Mutex
	origin known

	entry    uuid.UUID // of what was begun with Recorder.Begin
	internal bool      // not a request: nobody has to be known
}

func originFrom(ctx context.Context) origin {
	if o, ok := ctx.Value(originKey{}).(*origin); ok {
		return *o
	}
	return origin{}
}

func (o origin) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, originKey{}, &o)
}

// WithRequest returns a context for one request. What [SetActor], [SetTenant]
// and [SetRequest] set under it is visible to every holder of the returned
// context, also when it is set later, in another middleware or in a handler.
// Actor and tenant that ctx already has are taken over, and those that [WithActor],
// [WithTenant] or [WithOrigin] named still win over [Config].
func WithRequest(ctx context.Context, r Request) context.Context {
	h := &holder{origin: originOf(ctx)}
	h.origin.Request = r
	return originFrom(ctx).under(h).in(ctx)
}

// under returns a layer for what h holds, in which nothing is set yet.
func (o origin) under(h *holder) origin { return origin{holder: h, skip: o.skip, tx: o.tx} }

// WithOrigin returns a context in which everything comes from o: of a job, that of
// the request that asked for it, as [Recorder.Origin] told it there and JSON carried
// it here. It replaces what ctx knows, and wins over Config.Actor and Config.Tenant, which
// are asked for what o leaves blank; [SetActor], [SetTenant] and [SetRequest] under
// it change it.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	h := &holder{
		origin:   known{Origin: o.clone(), namedActor: !o.Actor.IsZero(), namedTenant: !o.Tenant.IsZero()},
		internal: o.Request == Request{},
	}
	return originFrom(ctx).under(h).in(ctx)
}

// WithActor returns a context in which a is the actor of everything that runs
// under it, whatever Config.Actor says. The entry of a surrounding request is not affected;
// see [SetActor]. Where that request has another actor, what is recorded under the
// context is marked with [MarkOverride].
func WithActor(ctx context.Context, a Actor) context.Context {
	o := originFrom(ctx)
	a = a.clone()
	o.actor = &a
	return o.in(ctx)
}

// WithTenant returns a context in which t is the tenant of everything that runs
// under it, whatever Config.Tenant says. The entry of a surrounding request is not
// affected; see [SetTenant].
func WithTenant(ctx context.Context, t Tenant) context.Context {
	o := originFrom(ctx)
	o.tenant = &t
	return o.in(ctx)
}

// SetActor sets the actor of the request that ctx belongs to, for the request's
// own entry and for every change after it. It reports false, and does nothing,
// outside of a request. Config.Actor, where it knows somebody, wins over it, unless it
// replaces an actor that [WithActor], [WithOrigin] or [Recorder.Begin] had named. It is
// safe for concurrent use.
func SetActor(ctx context.Context, a Actor) bool {
	a = a.clone()
	return originFrom(ctx).set(func(o *Origin) { o.Actor = a; o.settle("actor") })
}

// SetUnverifiedActor is [SetActor] for an actor whom nothing proves: entries mark it with
// [MarkUnverified].
func SetUnverifiedActor(ctx context.Context, a Actor) bool {
	a = a.clone()
	return originFrom(ctx).set(func(o *Origin) { o.Actor = a; o.noteMark("actor", MarkUnverified) })
}

// ActorUnverified reports whether nothing proves the actor that ctx knows; see
// [SetUnverifiedActor].
func ActorUnverified(ctx context.Context) bool { return originOf(ctx).Marks["actor"] == MarkUnverified }

// SetTenant sets the tenant of the request that ctx belongs to, like [SetActor].
func SetTenant(ctx context.Context, t Tenant) bool {
	return originFrom(ctx).set(func(o *Origin) { o.Tenant = t; o.settle("tenant") })
}

// SetRequest lets f change the facts of the request that ctx belongs to, for
// example to fill in the route once it is known. f must not block. It reports
// false, and does nothing, outside of a request.
func SetRequest(ctx context.Context, f func(*Request)) bool {
	return originFrom(ctx).set(func(o *Origin) { f(&o.Request) })
}

func (o origin) set(f func(*Origin)) bool {
	if o.holder == nil {
		return false
	}
	o.holder.mu.Lock()
	defer o.holder.mu.Unlock()
	f(&o.holder.origin.Origin)
	return true
}

// anonymous reports whether nobody known means that nobody said who he is, and not that
// the program acts by itself.
func (o origin) anonymous() bool { return o.holder != nil && !o.holder.internal }

func (o origin) request() known {
	if o.holder == nil {
		return known{}
	}
	o.holder.mu.Lock()
	defer o.holder.mu.Unlock()
	return o.holder.origin
}

// ActorFrom returns the actor that ctx knows and whether it knows one.
func ActorFrom(ctx context.Context) (Actor, bool) {
	a := originOf(ctx).Actor
	return a, !a.IsZero()
}

// TenantFrom returns the tenant that ctx knows and whether it knows one.
func TenantFrom(ctx context.Context) (Tenant, bool) {
	t := originOf(ctx).Tenant
	return t, !t.IsZero()
}

// RequestFrom returns the request that ctx belongs to and whether there is one.
func RequestFrom(ctx context.Context) (Request, bool) {
	o := originFrom(ctx)
	return o.request().Request, o.holder != nil
}

// originOf resolves the layers of ctx: the innermost With wins, then what was
// set on the request.
func originOf(ctx context.Context) known {
	o := originFrom(ctx)
	k := o.request()
	if o.actor != nil {
		k.nameActor(*o.actor, o.anonymous())
	}
	if o.tenant != nil {
		k.nameTenant(*o.tenant)
	}
	return k
}

// Skip returns a context in which mutations of audited clients are not recorded
// row by row. Each of them leaves one entry of kind system and operation skip
// that holds reason, actor and schema, so that the gap is visible. A blank
// reason makes the mutations fail.
func Skip(ctx context.Context, reason string) context.Context {
	o := originFrom(ctx)
	o.skip = &reason
	return o.in(ctx)
}

// SkipFrom returns the reason given to [Skip] and whether there is one.
func SkipFrom(ctx context.Context) (string, bool) {
	if o := originFrom(ctx); o.skip != nil {
		return *o.skip, true
	}
	return "", false
}
