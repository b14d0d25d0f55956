package entaudit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Record writes one entry of the program's own. It is independent of any
// transaction, unless ctx names one by [InTx]; the generated Tx.Record commits and rolls
// back with its transaction in any case. What e leaves blank comes from ctx: actor, tenant,
// request. An actor or tenant that e sets itself wins and is marked as an
// override; an actor with an id and no type keeps it blank. Kind defaults to manual, outcome to success. ID, SchemaVersion,
// Service and RecordedAt are never taken from e. e is copied; changes, metadata
// and query are redacted, and cut where no store would take them, with a mark. An entry without an action, or with a kind, operation or
// outcome that this package does not define, is refused with an error.
func (r *Recorder) Record(ctx context.Context, e Entry) error {
	if r.cfg.Off {
		return nil
	}
	if tx := originFrom(ctx).tx; tx != nil {
		return tx.Record(ctx, e)
	}
	n, err := r.Prepare(ctx, e)
	if err != nil {
		return err
	}
	return r.Deliver(ctx, n)
}

// validate returns an error that names the field of a caller's entry that no store
// would take.
func (e *Entry) validate() error {
	switch {
	case e.Action == "":
		return errors.New("entaudit: Entry.Action is empty")
	case !e.Kind.known():
		return fmt.Errorf("entaudit: Entry.Kind: unknown kind %q", e.Kind)
	case e.Operation != "" && !e.Operation.known():
		return fmt.Errorf("entaudit: Entry.Operation: unknown operation %q", e.Operation)
	case !e.Outcome.known():
		return fmt.Errorf("entaudit: Entry.Outcome: unknown outcome %q", e.Outcome)
	}
	return nil
}

// mend replaces what validate refuses, each with a mark: for entries of what has been
// done already, which must not be lost for it. An outcome is never guessed.
func (e *Entry) mend() {
	if e.Action == "" {
		e.Action = "unnamed"
		e.mark("action", MarkReplaced)
	}
	e.mendKind(KindManual)
	if e.Operation != "" && !e.Operation.known() {
		e.Operation = ""
		e.mark("operation", MarkReplaced)
	}
	if !e.Outcome.known() {
		e.Outcome = Unknown
		e.mark("outcome", MarkReplaced)
	}
}

func (e *Entry) mendKind(k Kind) {
	if !e.Kind.known() {
		e.Kind = k
		e.mark("kind", MarkReplaced)
	}
}

// Prepare returns a finished, deep copy of e, completed from ctx, or an error, as
// [Recorder.Record] describes. It is what Record delivers.
func (r *Recorder) Prepare(ctx context.Context, e Entry) (Entry, error) {
	n := r.complete(ctx, e)
	if err := n.validate(); err != nil {
		return Entry{}, err
	}
	n.finish()
	return n, nil
}

// complete returns a deep copy of e, completed from ctx and not finished.
func (r *Recorder) complete(ctx context.Context, e Entry) Entry {
	n := r.NewEntry(KindManual, r.Origin(ctx))
	if e.Kind != "" {
		n.Kind = e.Kind
	}
	n.Action, n.Operation, n.Reason = e.Action, e.Operation, e.Reason
	n.Outcome = Success
	if e.Outcome != "" {
		n.Outcome = e.Outcome
	}
	if t := e.OccurredAt.UTC(); !t.IsZero() {
		if t.Year() < 1 || t.Year() > 9999 {
			n.mark("occurred_at", MarkUnencodable)
		} else {
			n.OccurredAt = t.Truncate(time.Microsecond)
		}
	}
	n.Duration = e.Duration
	n.Resource = e.Resource
	n.CauseID, n.TxID, n.TxSeq = e.CauseID, e.TxID, e.TxSeq
	if !e.Actor.IsZero() {
		n.Actor = e.Actor.clone()
		if n.Actor.Type == "" && n.Actor.ID == "" {
			n.Actor.Type = ActorAnonymous
		}
		n.mark("actor", MarkOverride)
	}
	if !e.Tenant.IsZero() {
		n.Tenant = e.Tenant
		n.mark("tenant", MarkOverride)
	}
	if e.ActorTenantID != "" {
		n.ActorTenantID = e.ActorTenantID
		n.mark("actor_tenant_id", MarkOverride)
	}
	if e.Request != (Request{}) {
		n.Request = e.Request
		var m Mark
		if n.Request.Query, m = r.redact.Query(e.Request.Query); m != "" {
			n.mark("query", m)
		}
	}
	r.copyChanges(&n, e)
	copyEdges(&n, e)
	for path, m := range e.Marks {
		n.mark(path, m)
	}
	n.Metadata = r.redact.Metadata(e.Metadata, func(path string, m Mark) { n.mark(within("metadata", path), m) })
	return n
}

// copyChanges copies the changes of e to n, masks what the redactor names and cuts
// what is too long. All of them together have room for one old and one new value of
// full length and DefaultMaxValue more; smaller ones are given it first.
func (r *Recorder) copyChanges(n *Entry, e Entry) {
	changes := e.Changes
	if len(changes) > maxChanges {
		changes = changes[:maxChanges]
		n.mark("changes", MarkCut)
	}
	sides := make([]value, 0, 2*len(changes))
	for _, c := range changes {
		secret := r.redact.Name(c.Field)
		field, how := boundName(c.Field)
		if how != "" {
			n.mark("changes."+field, how)
		}
		sides = append(sides, r.side(field, "old", secret, c.Old), r.side(field, "new", secret, c.New))
		n.Changes = append(n.Changes, Change{Field: field})
	}
	room := budget{each: r.cfg.MaxValue, total: 2*r.cfg.MaxValue + DefaultMaxValue}
	for _, i := range smallestFirst(sides) {
		sides[i].cut(room.take(&sides[i]))
	}
	for i := range sides {
		c := &n.Changes[i/2]
		if i%2 == 0 {
			c.Old = sides[i].json
		} else {
			c.New = sides[i].json
		}
		for path, m := range sides[i].marks {
			n.mark(within(sides[i].name, path), m)
		}
	}
}

// side returns one side of a change; its name is its path in the entry.
func (r *Recorder) side(field, side string, secret bool, data json.RawMessage) value {
	v := value{name: "changes." + field + "." + side}
	switch {
	case data == nil:
		return v
	case string(data) == "null":
		v.json, v.fixed = json.RawMessage("null"), true
		return v
	case secret:
		v.stand(Redacted, MarkRedacted)
		return v
	}
	var err error
	if v.json, err = r.redact.ForChanges().JSON(data, v.mark); err != nil {
		v.unencodable(data)
	}
	return v
}

// copyEdges copies the edges of e to n, as far as there is room for their ids.
func copyEdges(n *Entry, e Entry) {
	room := maxLinks
	for _, c := range e.Edges {
		if len(n.Edges) == maxChanges {
			n.mark("edges", MarkCut)
			return
		}
		edge, how := boundName(c.Edge)
		added, removed := copyIDs(c.Added, &room), copyIDs(c.Removed, &room)
		if len(added)+len(removed) < len(c.Added)+len(c.Removed) {
			how = MarkCut
		}
		if how != "" {
			n.mark("edges."+edge, how)
		}
		n.Edges = append(n.Edges, EdgeChange{Edge: edge, Added: added, Removed: removed, Unknown: c.Unknown})
	}
}

// copyIDs returns a copy of as many ids as there is room for, each fit to be stored.
func copyIDs(ids []string, room *int) []string {
	ids = slices.Clone(ids[:min(len(ids), *room)])
	*room -= len(ids)
	for i, id := range ids {
		ids[i], _ = boundName(id)
	}
	return ids
}

// LogOption adds to the entry that [Recorder.Log] writes.
type LogOption func(*Entry)

// ByUser names the actor of an entry explicitly; the entry is marked with the
// override. Its actor has no type: nobody said what it is.
func ByUser(id string) LogOption { return func(e *Entry) { e.Actor.ID = id } }

// Metadata adds key-value pairs to an entry. They are copied, redacted and cut, as
// [Redactor.Metadata] describes.
func Metadata(m map[string]any) LogOption {
	return func(e *Entry) {
		if e.Metadata == nil {
			e.Metadata = make(map[string]any, len(m))
		}
		maps.Copy(e.Metadata, m)
	}
}

// Because gives the reason of an entry.
func Because(reason string) LogOption { return func(e *Entry) { e.Reason = reason } }

// Ended gives the outcome of an entry; without it the entry says success.
func Ended(o Outcome) LogOption { return func(e *Entry) { e.Outcome = o } }

// Log records that the actor of ctx did action to a resource, as an entry of
// its own. It is [Recorder.Record] for the common case.
func (r *Recorder) Log(ctx context.Context, action, resource, resourceID string, opts ...LogOption) error {
	e := Entry{Action: action, Resource: Resource{Type: resource, ID: resourceID}}
	for _, opt := range opts {
		opt(&e)
	}
	return r.Record(ctx, e)
}
