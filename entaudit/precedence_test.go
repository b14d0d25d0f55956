package entaudit_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// TestWhoWinsT04T09 holds the order of all that can say who acts: what the program names for
// a piece of work, then Config.Actor, then what is set on the request.
func TestWhoWinsT04T09(t *testing.T) {
	t.Parallel()
	type in struct {
		context.Context
		rec *entaudit.Recorder
	}
	cron := entaudit.Actor{ID: "cron", Type: entaudit.ActorJob}
	host := entaudit.Actor{ID: "billing", Type: entaudit.ActorService}
	nightly, home := entaudit.Tenant{ID: "9", Slug: "nightly"}, entaudit.Tenant{ID: "0", Slug: "home"}
	system, anonymous := entaudit.Actor{Type: entaudit.ActorSystem}, entaudit.Actor{Type: entaudit.ActorAnonymous}
	set := func(ctx context.Context, a entaudit.Actor, tn entaudit.Tenant) context.Context {
		entaudit.SetActor(ctx, a)
		entaudit.SetTenant(ctx, tn)
		return ctx
	}
	request := func(ctx context.Context) context.Context {
		return entaudit.WithRequest(ctx, entaudit.Request{ID: "r1"})
	}
	authenticated := func(ctx context.Context) context.Context { return set(request(ctx), alice, acme) }
	named := func(ctx context.Context, a entaudit.Actor, tn entaudit.Tenant) context.Context {
		return entaudit.WithTenant(entaudit.WithActor(ctx, a), tn)
	}
	begun := func(c in, e entaudit.Entry) context.Context {
		ctx, _ := c.rec.Begin(c, e)
		return ctx
	}
	override := map[string]entaudit.Mark{"actor": entaudit.MarkOverride}
	type who struct {
		actor  entaudit.Actor
		tenant entaudit.Tenant
	}
	var nobody, configured who
	configured = who{host, home}
	for _, tt := range []struct {
		name     string
		ctx      func(in) context.Context
		silent   who // while Config has nothing to say
		answered who // while it has
		marks    map[string]entaudit.Mark
	}{
		{name: "nothing", ctx: func(c in) context.Context { return c }, silent: who{actor: system}, answered: configured},
		{name: "a request", ctx: func(c in) context.Context { return request(c) }, silent: who{actor: anonymous}, answered: configured},
		{
			name:   "set on the request",
			ctx:    func(c in) context.Context { return authenticated(c) },
			silent: who{alice, acme}, answered: configured,
		},
		{
			name:   "With",
			ctx:    func(c in) context.Context { return named(c, bob, umbra) },
			silent: who{bob, umbra}, answered: who{bob, umbra},
		},
		{
			name:   "With nobody",
			ctx:    func(c in) context.Context { return named(c, nobody.actor, nobody.tenant) },
			silent: who{actor: system}, answered: configured,
		},
		{
			name:   "H06 With in front of the request",
			ctx:    func(c in) context.Context { return request(named(c, bob, umbra)) },
			silent: who{bob, umbra}, answered: who{bob, umbra},
		},
		{
			name:   "H06 With in front of the request, and set on it",
			ctx:    func(c in) context.Context { return set(request(named(c, bob, umbra)), alice, acme) },
			silent: who{alice, acme}, answered: who{alice, acme},
		},
		{
			name:   "With in a request of somebody else",
			ctx:    func(c in) context.Context { return named(authenticated(c), bob, umbra) },
			silent: who{bob, umbra}, answered: who{bob, umbra}, marks: override,
		},
		{
			name:   "With in a request of nobody",
			ctx:    func(c in) context.Context { return named(request(c), bob, umbra) },
			silent: who{bob, umbra}, answered: who{bob, umbra},
		},
		{
			name:   "With in a request of the same",
			ctx:    func(c in) context.Context { return named(authenticated(c), alice, acme) },
			silent: who{alice, acme}, answered: who{alice, acme},
		},
		{
			name: "With in a request of somebody else, and work in it",
			ctx: func(c in) context.Context {
				return begun(in{named(authenticated(c), bob, umbra), c.rec}, entaudit.Entry{})
			},
			silent: who{bob, umbra}, answered: who{bob, umbra}, marks: override,
		},
		{
			name: "the same once more, for the work and in it",
			ctx: func(c in) context.Context {
				c.Context = named(authenticated(c), bob, umbra)
				return named(begun(c, entaudit.Entry{Actor: bob, Tenant: umbra}), bob, umbra)
			},
			silent: who{bob, umbra}, answered: who{bob, umbra}, marks: override,
		},
		{
			name:   "WithOrigin",
			ctx:    func(c in) context.Context { return entaudit.WithOrigin(c, entaudit.Origin{Actor: bob, Tenant: umbra}) },
			silent: who{bob, umbra}, answered: who{bob, umbra},
		},
		{
			name:   "WithOrigin of a request of nobody",
			ctx:    func(c in) context.Context { return entaudit.WithOrigin(c, entaudit.Origin{Actor: anonymous}) },
			silent: who{actor: anonymous}, answered: who{anonymous, home},
		},
		{
			name:   "WithOrigin that says nothing",
			ctx:    func(c in) context.Context { return entaudit.WithOrigin(named(c, bob, umbra), entaudit.Origin{}) },
			silent: who{actor: system}, answered: configured,
		},
		{
			name:   "Begin",
			ctx:    func(c in) context.Context { return begun(c, entaudit.Entry{Actor: cron, Tenant: nightly}) },
			silent: who{cron, nightly}, answered: who{cron, nightly},
		},
		{
			name:   "Begin for nobody",
			ctx:    func(c in) context.Context { return begun(c, entaudit.Entry{}) },
			silent: who{actor: anonymous}, answered: configured,
		},
		{
			name:   "Begin, and set on it",
			ctx:    func(c in) context.Context { return set(begun(c, entaudit.Entry{}), alice, acme) },
			silent: who{alice, acme}, answered: configured,
		},
		{
			name: "Begin for somebody, and another set on it",
			ctx: func(c in) context.Context {
				return set(begun(c, entaudit.Entry{Actor: cron, Tenant: nightly}), alice, acme)
			},
			silent: who{alice, acme}, answered: who{alice, acme},
		},
		{
			name:   "Begin under With",
			ctx:    func(c in) context.Context { return begun(in{named(c, bob, umbra), c.rec}, entaudit.Entry{}) },
			silent: who{bob, umbra}, answered: who{bob, umbra},
		},
		{
			name: "Begin in a request of somebody else",
			ctx: func(c in) context.Context {
				return begun(in{authenticated(c), c.rec}, entaudit.Entry{Kind: entaudit.KindJob, Actor: cron, Tenant: nightly})
			},
			silent: who{cron, nightly}, answered: who{cron, nightly}, marks: override,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, answers := range []bool{false, true} {
				rec, w := setup(t, entaudit.Config{
					Actor:  func(context.Context) (entaudit.Actor, bool) { return host, answers },
					Tenant: func(context.Context) (entaudit.Tenant, bool) { return home, answers },
				})
				want := tt.silent
				if answers {
					want = tt.answered
				}
				require.NoError(t, rec.Log(tt.ctx(in{t.Context(), rec}), "look", "invoice", "1"))
				e := w.one(t)
				require.Equal(t, want, who{e.Actor, e.Tenant}, "Config answers: %v", answers)
				require.Equal(t, tt.marks, e.Marks, "Config answers: %v", answers)
			}
		})
	}
}

func TestRunNamesItsActorT09(t *testing.T) {
	t.Parallel()
	cron := entaudit.Actor{ID: "cron", Type: entaudit.ActorJob}
	rec, w := setup(t, entaudit.Config{
		Actor:  func(context.Context) (entaudit.Actor, bool) { return bob, true },
		Tenant: func(context.Context) (entaudit.Tenant, bool) { return umbra, true },
	})
	for _, tt := range []struct{ given, want entaudit.Actor }{{cron, cron}, {entaudit.Actor{}, bob}} {
		require.NoError(t, rec.Run(t.Context(), "nightly", tt.given, func(ctx context.Context) error {
			return rec.Log(ctx, "look", "invoice", "1")
		}))
		for _, e := range w.all() {
			require.Equal(t, tt.want, e.Actor, e.Action)
			require.Equal(t, umbra, e.Tenant, e.Action)
			require.Nil(t, e.Marks, e.Action)
		}
		w.mu.Lock()
		w.entries = nil
		w.mu.Unlock()
	}
}
