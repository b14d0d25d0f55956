package entaudit_test

import (
	"context"
	"errors"
	"testing"

	"entgo.io/ent"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// ungenerated is a mutation of code that was generated without the extension.
type ungenerated struct{ ent.Mutation }

func (ungenerated) Type() string { return "User" }

// generated is a mutation of code that was generated with it.
type generated struct {
	ungenerated
	guard func(context.Context) (context.Context, error)
}

func (g generated) EntAuditGuard(ctx context.Context) (context.Context, error) { return g.guard(ctx) }

func TestMixinGuards(t *testing.T) {
	t.Parallel()
	hooks := entaudit.Mixin{}.Hooks()
	require.Len(t, hooks, 1)
	var got context.Context
	called := 0
	next := ent.MutateFunc(func(ctx context.Context, _ ent.Mutation) (ent.Value, error) {
		got, called = ctx, called+1
		return "value", nil
	})
	mutate := hooks[0](next).Mutate

	_, err := mutate(t.Context(), ungenerated{})
	require.ErrorContains(t, err, "User has entaudit.Mixin but its code was generated without the extension")
	require.ErrorContains(t, err, "entc.Extensions(extension.New())")

	refused := errors.New("no recorder")
	_, err = mutate(t.Context(), generated{guard: func(ctx context.Context) (context.Context, error) { return nil, refused }})
	require.ErrorIs(t, err, refused)
	require.Zero(t, called, "a refused mutation went on")

	v, err := mutate(t.Context(), generated{guard: func(ctx context.Context) (context.Context, error) {
		return entaudit.WithActor(ctx, alice), nil
	}})
	require.NoError(t, err)
	require.Equal(t, "value", v)
	a, _ := entaudit.ActorFrom(got)
	require.Equal(t, alice, a, "the guard's context does not reach the mutation")
}

func TestMixinAddsNothingElse(t *testing.T) {
	t.Parallel()
	var m ent.Mixin = entaudit.Mixin{}
	require.Empty(t, m.Fields())
	require.Empty(t, m.Edges())
	require.Empty(t, m.Indexes())
	require.Empty(t, m.Interceptors())
	require.Nil(t, m.Policy())
}

func TestActorTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     entaudit.ActorType
	}{
		{"known", "platform_admin", entaudit.ActorPlatformAdmin},
		{"case and space", " Tenant_User\n", entaudit.ActorTenantUser},
		{"unknown types are kept", "Robot", "robot"},
		{"blank", " ", entaudit.ActorAnonymous},
		{"missing", "", entaudit.ActorAnonymous},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, entaudit.ParseActorType(tt.in))
		})
	}
}
