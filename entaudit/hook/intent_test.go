package hook

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"entgo.io/ent"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// mutation is a Mutation of which nothing but the type and operation matter.
type mutation struct {
	ent.Mutation
	op     ent.Op
	intent *Intent
}

func (m *mutation) Op() ent.Op               { return m.op }
func (m *mutation) Type() string             { return "User" }
func (m *mutation) EntAuditIntent() **Intent { return &m.intent }

func (m *mutation) EntAuditFailed(_ context.Context, err error) error { return err }

func TestMissingRuntime(t *testing.T) {
	t.Parallel()
	passed := false
	set := func(next ent.Mutator) ent.Mutator { passed = true; return next }
	hooks := []ent.Hook{nil, set}
	MissingRuntime("example.com/app/ent", hooks)
	MissingRuntime("example.com/other/ent", hooks) // changes nothing any more
	next := ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) { return 1, nil })
	_, err := hooks[0](next).Mutate(t.Context(), &mutation{})
	require.EqualError(t, err, `entaudit: the hooks of User are not set: add the import _ "example.com/app/ent/runtime" to package main`)
	v, err := hooks[1](next).Mutate(t.Context(), &mutation{})
	require.NoError(t, err)
	require.Equal(t, 1, v)
	require.True(t, passed)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	on, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	off, err := entaudit.New(entaudit.Config{Off: true, Writer: entaudit.WriterFunc(
		func(context.Context, []entaudit.Entry) error { return nil },
	)})
	require.NoError(t, err)
	tests := []struct {
		name string
		ctx  context.Context
		rec  *entaudit.Recorder
		pass bool
		skip bool
		want string
	}{
		{name: "recorded", ctx: t.Context(), rec: on},
		{name: "off", ctx: t.Context(), rec: off, pass: true},
		{name: "skipped", ctx: entaudit.Skip(t.Context(), "import"), rec: on, skip: true},
		{name: "skipped for no reason", ctx: entaudit.Skip(t.Context(), " "), rec: on, want: "Skip needs a reason"},
		{
			name: "no recorder", ctx: t.Context(),
			want: "entaudit: User is audited but this client has no recorder: open it with ent.Auditor(rec) or use client.Audited(rec)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mutation{op: ent.OpCreate}
			s := &Schema{Type: "User", Graph: &Graph{Package: "example.com/app/ent"}}
			_, err := Guard(tt.ctx, m, s, tt.rec)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.pass, m.intent.pass)
			require.Equal(t, tt.skip, m.intent.skipped)
		})
	}
}

func TestGuardKeepsWhomTheCallerNamed(t *testing.T) {
	t.Parallel()
	alice, host := entaudit.Actor{ID: "alice"}, entaudit.Actor{ID: "billing"}
	rec, err := entaudit.New(entaudit.Config{Actor: func(context.Context) (entaudit.Actor, bool) { return host, true }})
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		caller context.Context
		hook   context.Context
		want   entaudit.Actor
	}{
		{"in a context that a hook dropped", entaudit.WithActor(t.Context(), alice), context.WithoutCancel(t.Context()), alice},
		{"nobody", t.Context(), context.WithoutCancel(t.Context()), host},
		{"a hook names another", entaudit.WithActor(t.Context(), alice), entaudit.WithActor(t.Context(), entaudit.Actor{ID: "bob"}), entaudit.Actor{ID: "bob"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mutation{op: ent.OpCreate}
			s := &Schema{Type: "User", Graph: &Graph{Package: "example.com/app/ent"}}
			_, err := Outer(ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) {
				_, err := Guard(tt.hook, m, s, rec)
				return nil, err
			})).Mutate(tt.caller, m)
			require.NoError(t, err)
			require.Equal(t, tt.want, m.intent.origin.Actor)
		})
	}
}

// TestGradual is not parallel: it listens to the default logger.
func TestGradual(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	g := &Graph{Package: "example.com/app/ent", Gradual: true}
	user, pet := &Schema{Type: "User", Graph: g}, &Schema{Type: "Pet", Graph: g}
	for _, s := range []*Schema{user, user, pet, user, pet} {
		m := &mutation{op: ent.OpCreate}
		_, err := Guard(t.Context(), m, s, nil)
		require.NoError(t, err)
		require.True(t, m.intent.pass)
	}
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("level=WARN")), "once per type: %s", &out)
	require.Contains(t, out.String(), "type=User")
	require.Contains(t, out.String(), "type=Pet")
}
