package entaudit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

var (
	alice = entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser, Email: "alice@example.org"}
	bob   = entaudit.Actor{ID: "bob", Type: entaudit.ActorPlatformAdmin}
	acme  = entaudit.Tenant{ID: "1", Slug: "acme"}
	umbra = entaudit.Tenant{ID: "2", Slug: "umbra"}
)

func TestContextLayers(t *testing.T) {
	t.Parallel()
	request := func(ctx context.Context) context.Context {
		return entaudit.WithRequest(ctx, entaudit.Request{ID: "r1"})
	}
	for _, tt := range []struct {
		name   string
		ctx    func(context.Context) context.Context
		actor  entaudit.Actor
		tenant entaudit.Tenant
	}{
		{name: "nothing", ctx: func(ctx context.Context) context.Context { return ctx }},
		{
			name: "with", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				return entaudit.WithTenant(entaudit.WithActor(ctx, alice), acme)
			},
		},
		{
			name: "the innermost with wins", actor: bob, tenant: umbra,
			ctx: func(ctx context.Context) context.Context {
				ctx = entaudit.WithTenant(entaudit.WithActor(ctx, alice), acme)
				return entaudit.WithTenant(entaudit.WithActor(ctx, bob), umbra)
			},
		},
		{
			name: "set in a request", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				ctx = request(ctx)
				entaudit.SetActor(ctx, alice)
				entaudit.SetTenant(ctx, acme)
				return ctx
			},
		},
		{
			name: "H06 set under it is seen above", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				ctx = request(ctx)
				inner := entaudit.Skip(ctx, "not this one")
				entaudit.SetActor(inner, alice)
				entaudit.SetTenant(inner, acme)
				return ctx
			},
		},
		{
			name: "H06 an outer middleware came first", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				return request(entaudit.WithTenant(entaudit.WithActor(ctx, alice), acme))
			},
		},
		{
			name: "set replaces what an outer middleware knew", actor: bob, tenant: umbra,
			ctx: func(ctx context.Context) context.Context {
				ctx = request(entaudit.WithTenant(entaudit.WithActor(ctx, alice), acme))
				entaudit.SetActor(ctx, bob)
				entaudit.SetTenant(ctx, umbra)
				return ctx
			},
		},
		{
			name: "with wins over a later set", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				ctx = entaudit.WithTenant(entaudit.WithActor(request(ctx), alice), acme)
				entaudit.SetActor(ctx, bob)
				entaudit.SetTenant(ctx, umbra)
				return ctx
			},
		},
		{
			name: "a nested request begins with what is known and keeps to itself", actor: alice, tenant: acme,
			ctx: func(ctx context.Context) context.Context {
				outer := request(ctx)
				entaudit.SetActor(outer, alice)
				entaudit.SetTenant(outer, acme)
				inner := request(outer)
				if a, _ := entaudit.ActorFrom(inner); a.ID != alice.ID {
					panic("the nested request does not know the actor")
				}
				entaudit.SetActor(inner, bob)
				return outer
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := tt.ctx(t.Context())
			a, ok := entaudit.ActorFrom(ctx)
			require.Equal(t, tt.actor, a)
			require.Equal(t, !tt.actor.IsZero(), ok)
			tn, ok := entaudit.TenantFrom(ctx)
			require.Equal(t, tt.tenant, tn)
			require.Equal(t, !tt.tenant.IsZero(), ok)
		})
	}
}

func TestWithDoesNotReachTheRequest(t *testing.T) {
	t.Parallel()
	ctx := entaudit.WithRequest(t.Context(), entaudit.Request{})
	entaudit.WithActor(ctx, alice)
	_, ok := entaudit.ActorFrom(ctx)
	require.False(t, ok)
}

func TestSetOutsideOfARequest(t *testing.T) {
	t.Parallel()
	ctx := entaudit.WithActor(t.Context(), alice)
	require.False(t, entaudit.SetActor(ctx, bob))
	require.False(t, entaudit.SetTenant(ctx, acme))
	require.False(t, entaudit.SetRequest(ctx, func(*entaudit.Request) { t.Error("called outside of a request") }))
	a, _ := entaudit.ActorFrom(ctx)
	require.Equal(t, alice, a)
	_, ok := entaudit.RequestFrom(ctx)
	require.False(t, ok)
}

func TestSetRequest(t *testing.T) {
	t.Parallel()
	ctx := entaudit.WithRequest(t.Context(), entaudit.Request{ID: "r1", Method: "GET"})
	require.True(t, entaudit.SetRequest(ctx, func(r *entaudit.Request) { r.Route, r.StatusCode = "/users/{id}", 200 }))
	r, ok := entaudit.RequestFrom(ctx)
	require.True(t, ok)
	require.Equal(t, entaudit.Request{ID: "r1", Method: "GET", Route: "/users/{id}", StatusCode: 200}, r)
}

func TestActorIsCopiedT07(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	a := entaudit.Actor{ID: "alice", Chain: []string{"gateway"}}
	ctx := entaudit.WithActor(t.Context(), a)
	request := entaudit.WithRequest(t.Context(), entaudit.Request{})
	entaudit.SetActor(request, a)
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	a.Chain[0] = "changed"
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	require.NoError(t, rec.Log(request, "look", "invoice", "1"))
	for _, e := range w.all() {
		require.Equal(t, []string{"gateway"}, e.Actor.Chain)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	_, ok := entaudit.SkipFrom(t.Context())
	require.False(t, ok)

	ctx := entaudit.Skip(t.Context(), "import of 2019")
	ctx = entaudit.WithTenant(entaudit.WithActor(entaudit.WithRequest(ctx, entaudit.Request{}), alice), acme)
	reason, ok := entaudit.SkipFrom(ctx)
	require.True(t, ok, "other layers lose the skip")
	require.Equal(t, "import of 2019", reason)

	reason, ok = entaudit.SkipFrom(entaudit.Skip(ctx, ""))
	require.True(t, ok, "a blank reason must be seen to be refused")
	require.Empty(t, reason)
}

func TestRequestsAreSeparateH13(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			id := fmt.Sprint(i)
			ctx := entaudit.WithRequest(t.Context(), entaudit.Request{ID: id})
			var inner sync.WaitGroup
			inner.Go(func() { entaudit.SetActor(ctx, entaudit.Actor{ID: id}) })
			inner.Go(func() { entaudit.SetTenant(ctx, entaudit.Tenant{ID: id}) })
			inner.Go(func() { entaudit.SetRequest(ctx, func(r *entaudit.Request) { r.TraceID = id }) })
			inner.Go(func() { rec.Origin(ctx) })
			inner.Wait()
			if err := rec.Log(ctx, "look", "invoice", id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries := w.all()
	require.Len(t, entries, 100)
	for _, e := range entries {
		id := e.Resource.ID
		require.Equal(t, []string{id, id, id, id}, []string{e.Actor.ID, e.Tenant.ID, e.Request.ID, e.Request.TraceID})
	}
}
