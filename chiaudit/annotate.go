package chiaudit

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/entaudit/audit/entaudit"
)

// Annotate adds to the entry of the request that ctx belongs to: [Action],
// [Resource], [entaudit.Because], [entaudit.Ended], [entaudit.Metadata] and
// [entaudit.ByUser]. What is given later replaces what was given before, metadata
// name by name. An outcome and an actor that are given are marked as overrides; an
// outcome that package entaudit does not define becomes unknown, with a mark. A
// reason stands in front of the one that the end of the request has, which is then
// in the metadata, as ending.
//
// It reports false, and does nothing, outside of a request that is recorded and once
// its entry has been written. It is safe for concurrent use. Metadata is copied and
// masked before it returns. For an entry of its own see [entaudit.Recorder.Log].
func Annotate(ctx context.Context, opts ...entaudit.LogOption) (told bool) {
	c, _ := ctx.Value(captureKey{}).(*capture)
	if c == nil {
		return false
	}
	defer c.survive() //nolint:contextcheck // c is a part of ctx; options may be the application's own
	var e entaudit.Entry
	for _, opt := range opts {
		opt(&e)
	}
	for ; c != nil; c = c.outer {
		told = c.remark(e) || told
	}
	return told
}

// Action names what a request did, in the place of its method and route.
func Action(name string) entaudit.LogOption {
	return func(e *entaudit.Entry) { e.Action = name }
}

// Resource names what a request was about.
func Resource(kind, id string) entaudit.LogOption {
	return func(e *entaudit.Entry) { e.Resource.Type, e.Resource.ID = kind, id }
}

// remarks are what the application says about a request while it is served. They are
// safe for concurrent use.
type remarks struct {
	mu    sync.Mutex
	ended bool
	route RouteOptions
	entry *entaudit.Entry // nil where nothing was said
}

func (r *remarks) routeOptions() RouteOptions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.route
}

// follow takes over what the options of a route set.
func (r *remarks) follow(o RouteOptions) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Exclude || o.Record {
		r.route.Exclude, r.route.Record = o.Exclude, o.Record
	}
	replace(&r.route.Action, o.Action)
	replace(&r.route.Resource, o.Resource)
}

// replace sets what is given.
func replace[T comparable](old *T, given T) {
	if given != *new(T) {
		*old = given
	}
}

// remark takes over what e sets.
func (c *capture) remark(e entaudit.Entry) bool {
	marks := make(map[string]entaudit.Mark)
	metadata := c.h.mask.Metadata(e.Metadata, func(path string, m entaudit.Mark) { marks[path] = m })
	r := &c.remarks
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	if r.entry == nil {
		r.entry = &entaudit.Entry{Metadata: make(map[string]any), Marks: make(map[string]entaudit.Mark)}
	}
	replace(&r.entry.Action, e.Action)
	if e.Resource != (entaudit.Resource{}) {
		r.entry.Resource = e.Resource
	}
	replace(&r.entry.Reason, e.Reason)
	replace(&r.entry.Outcome, e.Outcome) // Finish mends one that is not defined
	if !e.Actor.IsZero() {
		r.entry.Actor = e.Actor
		r.entry.Actor.Chain = slices.Clone(e.Actor.Chain)
	}
	maps.Copy(r.entry.Metadata, metadata)
	maps.Copy(r.entry.Marks, marks)
	return true
}

// end returns what was said. Nothing can be added to it any more.
func (r *remarks) end() (RouteOptions, *entaudit.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.route, r.entry
}

// enrich adds what the application has said.
func (c *capture) enrich() {
	e := c.entry
	route, said := c.remarks.end()
	replace(&e.Action, route.Action)
	replace(&e.Resource.Type, route.Resource)
	if said == nil {
		return
	}
	replace(&e.Action, said.Action)
	if said.Resource != (entaudit.Resource{}) {
		e.Resource = said.Resource
	}
	if said.Reason != "" {
		if e.Reason != "" {
			c.note("ending", e.Reason)
		}
		e.Reason = said.Reason
	}
	if said.Outcome != "" && said.Outcome != e.Outcome {
		e.Outcome = said.Outcome
		c.mark("outcome", entaudit.MarkOverride)
	}
	if !said.Actor.IsZero() {
		e.Actor = said.Actor
		c.mark("actor", entaudit.MarkOverride)
	}
	// Once more, since several that fit may not fit together.
	mark := func(path string, m entaudit.Mark) {
		if path == "" {
			c.mark("metadata", m)
			return
		}
		c.mark("metadata."+path, m)
	}
	for path, m := range said.Marks {
		mark(path, m)
	}
	for name, v := range c.h.mask.Metadata(said.Metadata, mark) {
		if _, taken := e.Metadata[name]; !taken {
			c.note(name, v)
		}
	}
}
