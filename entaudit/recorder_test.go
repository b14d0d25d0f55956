package entaudit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// memory keeps entries. Its funcs, where set, answer instead.
type memory struct {
	mu      sync.Mutex
	entries []entaudit.Entry
	write   func(context.Context, []entaudit.Entry) error
	close   func(context.Context) error
	closed  int
}

func (m *memory) Write(ctx context.Context, entries []entaudit.Entry) error {
	if m.write != nil {
		if err := m.write(ctx, entries); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, entries...)
	return nil
}

func (m *memory) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed++
	m.mu.Unlock()
	if m.close != nil {
		return m.close(ctx)
	}
	return nil
}

func (m *memory) String() string { return "memory" }

func (m *memory) all() []entaudit.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]entaudit.Entry(nil), m.entries...)
}

// one returns the only entry there is.
func (m *memory) one(t *testing.T) entaudit.Entry {
	t.Helper()
	entries := m.all()
	require.Len(t, entries, 1)
	return entries[0]
}

func setup(t *testing.T, c entaudit.Config) (*entaudit.Recorder, *memory) {
	t.Helper()
	w := &memory{}
	if c.Writer == nil {
		c.Writer = w
	}
	rec, err := entaudit.New(c)
	require.NoError(t, err)
	return rec, w
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		c     entaudit.Config
		field string
	}{
		{"S55 table with a quote", entaudit.Config{Table: `audit"; drop table users; --`}, "Config.Table"},
		{"S55 table with two schemas", entaudit.Config{Table: "a.b.c"}, "Config.Table"},
		{"S55 table too long", entaudit.Config{Table: strings.Repeat("a", 64)}, "Config.Table"},
		{"negative grace", entaudit.Config{Grace: -1}, "Config.Grace"},
		{"negative size", entaudit.Config{MaxValue: -1}, "Config.MaxValue"},
		{"entries after commit without a writer", entaudit.Config{AfterCommit: true}, "Config.AfterCommit"},
		{"a key that can match nothing", entaudit.Config{Redact: entaudit.Redact{Keys: []string{"shoe_size", "--"}}}, "Config.Redact.Keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, err := entaudit.New(tt.c)
			require.ErrorContains(t, err, tt.field)
			require.Regexp(t, "^entaudit: [^.]*", err.Error())
			require.Nil(t, rec)
		})
	}
}

func TestNewFillsDefaults(t *testing.T) {
	t.Parallel()
	c := entaudit.Config{}
	rec, err := entaudit.New(c)
	require.NoError(t, err)
	require.Equal(t, entaudit.Config{}, c)
	got := rec.Config()
	require.Equal(t, entaudit.DefaultTable, got.Table)
	require.Equal(t, entaudit.DefaultGrace, got.Grace)
	require.Equal(t, entaudit.DefaultMaxValue, got.MaxValue)
	require.Equal(t, "recorder<slog>", rec.String())

	rec, err = entaudit.New(entaudit.Config{Table: "audit.audit_logs$2", Grace: time.Second, MaxValue: 7})
	require.NoError(t, err)
	got = rec.Config()
	require.Equal(t, "audit.audit_logs$2", got.Table)
	require.Equal(t, time.Second, got.Grace)
	require.Equal(t, 7, got.MaxValue)
}

func TestOriginDefaultsCase49(t *testing.T) {
	t.Parallel()
	inRequest := func(ctx context.Context) context.Context {
		return entaudit.WithRequest(ctx, entaudit.Request{ID: "r1"})
	}
	as := func(a entaudit.Actor) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context { return entaudit.WithActor(ctx, a) }
	}
	plain := func(ctx context.Context) context.Context { return ctx }
	for _, tt := range []struct {
		name string
		c    entaudit.Config
		ctx  func(context.Context) context.Context
		want entaudit.Actor
	}{
		{"system outside of requests", entaudit.Config{}, plain, entaudit.Actor{Type: entaudit.ActorSystem}},
		{"anonymous in a request", entaudit.Config{}, inRequest, entaudit.Actor{Type: entaudit.ActorAnonymous}},
		{"an id without a type stays", entaudit.Config{}, as(entaudit.Actor{ID: "x"}), entaudit.Actor{ID: "x"}},
		{"from the context", entaudit.Config{}, as(alice), alice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, _ := setup(t, tt.c)
			require.Equal(t, tt.want, rec.Origin(tt.ctx(t.Context())).Actor)
		})
	}
}

func TestF14PanicsOfTheCallersLeaveTheEntry(t *testing.T) {
	// It reads the log of the whole program and is therefore not parallel.
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	rec, w := setup(t, entaudit.Config{
		Actor:  func(context.Context) (entaudit.Actor, bool) { panic("canary-1") },
		Tenant: func(context.Context) (entaudit.Tenant, bool) { panic(errors.New("canary-2")) },
	})
	ctx := entaudit.WithRequest(t.Context(), entaudit.Request{ID: "r1"})
	entaudit.SetActor(ctx, alice)
	entaudit.SetTenant(ctx, acme)
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1", entaudit.ByUser("7")))
	require.NoError(t, rec.Log(entaudit.WithTenant(entaudit.WithActor(t.Context(), alice), acme), "look", "invoice", "1"))
	entries := w.all()
	require.Len(t, entries, 3)
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, entries[0].Actor, "who is set on the request may be somebody else")
	require.Equal(t, alice, entries[2].Actor, "it was not to be asked")
	require.Equal(t, acme, entries[2].Tenant)
	require.Nil(t, entries[2].Marks)
	require.Equal(t, map[string]entaudit.Mark{"actor": entaudit.MarkUnknown, "tenant": entaudit.MarkUnknown}, entries[0].Marks)
	require.Zero(t, entries[0].Tenant)
	require.Equal(t, "7", entries[1].Actor.ID)
	require.Equal(t, entaudit.MarkOverride, entries[1].Marks["actor"])
	o := rec.Origin(entaudit.WithRequest(t.Context(), entaudit.Request{}))
	require.Equal(t, entaudit.ActorAnonymous, o.Actor.Type)
	require.Contains(t, log.String(), `level=ERROR msg="entaudit: Config.Actor panicked" type=string`)
	require.Contains(t, log.String(), `level=ERROR msg="entaudit: Config.Tenant panicked" type=*errors.errorString`)
	require.NotContains(t, log.String(), "canary")
}

func TestF14WriterThatPanicsHasFailed(t *testing.T) {
	t.Parallel()
	broken := &memory{write: func(context.Context, []entaudit.Entry) error { panic("canary") }}
	rec, _ := setup(t, entaudit.Config{Writer: broken})
	err := rec.Log(t.Context(), "look", "invoice", "1")
	require.EqualError(t, err, "entaudit: write entry: the writer panicked with string")
	_, err = entaudit.New(entaudit.Config{Writer: broken, Off: true})
	require.ErrorContains(t, err, "the writer panicked with string")

	after := &memory{}
	rec, _ = setup(t, entaudit.Config{Writer: entaudit.Multi(broken, after)})
	require.ErrorContains(t, rec.Log(t.Context(), "look", "invoice", "1"), "the writer panicked with string")
	require.Len(t, after.all(), 1, "the panic of one kept the entry from another")
}

func TestNewEntryOrderCase52W31(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{Service: "billing"})
	before := time.Now().UTC().Truncate(time.Microsecond)
	last := rec.NewEntry(entaudit.KindMutation, entaudit.Origin{})
	require.Equal(t, entaudit.Unknown, last.Outcome, "an outcome that nobody set is not success")
	require.Equal(t, "billing", last.Service)
	require.Equal(t, entaudit.SchemaVersion, last.SchemaVersion)
	require.False(t, last.OccurredAt.Before(before))
	require.Equal(t, time.UTC, last.OccurredAt.Location())
	require.Zero(t, last.OccurredAt.Nanosecond()%1000)
	for range 100_000 {
		e := rec.NewEntry(entaudit.KindMutation, entaudit.Origin{})
		if bytes.Compare(e.ID[:], last.ID[:]) <= 0 {
			t.Fatalf("%v comes after %v", e.ID, last.ID)
		}
		last = e
	}
}

func TestOffT01(t *testing.T) {
	t.Parallel()
	w := &memory{}
	rec, err := entaudit.New(entaudit.Config{Off: true, Writer: w, Service: "billing\x00"})
	require.NoError(t, err)
	require.True(t, rec.Off())
	require.NoError(t, rec.Log(t.Context(), "look", "invoice", "1"))
	require.NoError(t, rec.Deliver(t.Context(), entaudit.Entry{}))

	e := w.one(t)
	require.Equal(t, entaudit.KindSystem, e.Kind)
	require.Equal(t, entaudit.OpSwitch, e.Operation)
	require.Equal(t, entaudit.Success, e.Outcome)
	require.Equal(t, entaudit.ActorSystem, e.Actor.Type)
	require.Equal(t, `billing\x00`, e.Service, "the entry is not fit to be stored")
}

func TestNoChanges(t *testing.T) {
	t.Parallel()
	w := &memory{}
	rec, err := entaudit.New(entaudit.Config{NoChanges: true, Writer: w})
	require.NoError(t, err)
	require.False(t, rec.Off())
	require.False(t, rec.RecordsChanges())
	e := w.one(t)
	require.Equal(t, []any{"audit.changes_off", entaudit.OpSwitch, "Config.NoChanges"}, []any{e.Action, e.Operation, e.Reason})
	require.NoError(t, rec.Log(t.Context(), "look", "invoice", "1"))
	require.Len(t, w.entries, 2)
}

func TestOffIsNotSilent(t *testing.T) {
	t.Parallel()
	w := &memory{write: func(context.Context, []entaudit.Entry) error { return errors.New("disk full") }}
	_, err := entaudit.New(entaudit.Config{Off: true, Writer: w})
	require.ErrorContains(t, err, "Config.Off")
	require.ErrorContains(t, err, "disk full")
}

func TestOnErrorDecides(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	other := errors.New("sorry")
	for _, tt := range []struct {
		name    string
		onError func(context.Context, error) error
		want    error
	}{
		{"fails closed by default", nil, full},
		{"lets it stand", func(context.Context, error) error { return nil }, nil},
		{"replaces it", func(context.Context, error) error { return other }, other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var seen error
			c := entaudit.Config{Writer: &memory{write: func(context.Context, []entaudit.Entry) error { return full }}}
			if tt.onError != nil {
				c.OnError = func(ctx context.Context, err error) error {
					seen = err
					return tt.onError(ctx, err)
				}
			}
			rec, _ := setup(t, c)
			err := rec.Log(t.Context(), "look", "invoice", "1")
			if tt.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
			}
			if tt.onError != nil {
				require.ErrorIs(t, seen, full)
				require.EqualError(t, seen, "entaudit: write entry: disk full")
			}
		})
	}
}

func TestF12DeliverOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	w.write = func(ctx context.Context, _ []entaudit.Entry) error { return ctx.Err() }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	require.Len(t, w.all(), 1)
}

func TestF12DeliverEndsWithGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &memory{write: func(ctx context.Context, _ []entaudit.Entry) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		rec, err := entaudit.New(entaudit.Config{Writer: w, Grace: 5 * time.Second})
		require.NoError(t, err)
		start := time.Now()
		require.ErrorIs(t, rec.Log(t.Context(), "look", "invoice", "1"), context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestCloseIsIdempotent(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	require.NoError(t, rec.Close(t.Context()))
	require.NoError(t, rec.Close(t.Context()))
	require.Equal(t, 2, w.closed, "whether it has drained is the writer's to say")
	require.ErrorIs(t, rec.Log(t.Context(), "look", "invoice", "1"), entaudit.ErrClosed)
	require.NoError(t, rec.Deliver(t.Context()), "nothing to deliver is no error")
	require.Empty(t, w.all())
}

func TestCloseTellsEveryCaller(t *testing.T) {
	t.Parallel()
	lost := errors.New("2 entries left")
	for _, want := range []error{nil, lost} {
		synctest.Test(t, func(t *testing.T) {
			drained := time.Now().Add(time.Minute)
			w := &memory{close: func(context.Context) error {
				<-time.After(time.Until(drained))
				return want
			}}
			rec, _ := setup(t, entaudit.Config{Writer: w})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					require.Equal(t, want, rec.Close(t.Context()))
					require.Equal(t, drained, time.Now(), "it returned while the writer was draining")
				})
			}
			synctest.Wait()
			require.ErrorIs(t, rec.Log(t.Context(), "look", "invoice", "1"), entaudit.ErrClosed)
			wg.Wait()
			require.Equal(t, want, rec.Close(t.Context()))
		})
	}
}
