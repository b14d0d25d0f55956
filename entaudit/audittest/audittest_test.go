package audittest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
)

func TestWriters(t *testing.T) {
	t.Parallel()
	quiet := func() entaudit.Writer { return entaudit.NewSlog(slog.New(slog.NewJSONHandler(io.Discard, nil))) }
	for name, open := range map[string]func(t *testing.T) entaudit.Writer{
		"memory": func(*testing.T) entaudit.Writer { return &audittest.Memory{} },
		"slog":   func(*testing.T) entaudit.Writer { return quiet() },
		"multi":  func(*testing.T) entaudit.Writer { return entaudit.Multi(&audittest.Memory{}, quiet()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audittest.Writer(t, open)
		})
	}
}

func TestDelivers(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(entaudit.Writer) entaudit.Writer{
		"memory": func(w entaudit.Writer) entaudit.Writer { return w },
		"multi":  func(w entaudit.Writer) entaudit.Writer { return entaudit.Multi(&audittest.Memory{}, w) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audittest.Delivers(t, func(*testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				m := &audittest.Memory{}
				return wrap(m), func(testing.TB) []entaudit.Entry { return m.Entries() }
			})
		})
	}
}

func TestSamplesSetEveryField(t *testing.T) {
	t.Parallel()
	v := reflect.ValueOf(audittest.Sample(t, 1)[0])
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "RecordedAt" { // the store's to say
			require.False(t, v.Field(i).IsZero(), name)
		}
	}
	for _, e := range audittest.Large(t, 2) {
		data, err := json.Marshal(e)
		require.NoError(t, err)
		require.Greater(t, len(data), 2*entaudit.DefaultMaxValue)
	}
}

func TestMemoryReads(t *testing.T) {
	t.Parallel()
	audittest.Reader(t, func(*testing.T) audittest.ReadWriter { return &audittest.Memory{} })
}

func TestNew(t *testing.T) {
	t.Parallel()
	rec := audittest.New(t)
	ctx := entaudit.WithActor(t.Context(), entaudit.Actor{ID: "kim"})
	require.NoError(t, rec.Log(ctx, "invoice.pay", "invoice", "7"))
	require.NoError(t, rec.Record(t.Context(), entaudit.Entry{
		Action:   "x",
		Resource: entaudit.Resource{Type: "user", ID: "1"}, Operation: entaudit.OpUpdate,
		Changes: []entaudit.Change{{Field: "name", Old: json.RawMessage(`"a"`), New: json.RawMessage(`"\u0062"`)}, {Field: "age", New: json.RawMessage("null")}},
	}))
	m := audittest.Recorded(t, rec)
	require.Equal(t, 2, m.Len())
	require.Equal(t, "invoice.pay", m.One(t, audittest.By("kim")).Action)
	e := m.One(t, audittest.Resource("user", ""), audittest.Operation(entaudit.OpUpdate), audittest.Kind(entaudit.KindManual))
	audittest.RequireChange(t, e, "name", "a", "b")
	audittest.RequireChange(t, e, "age", audittest.Absent, nil)
	m.RequireNone(t, audittest.Resource("user", "2"))
	require.Len(t, m.Find(), 2)
	m.Reset()
	require.Zero(t, m.Len())
}

// TestMatchersFail checks that what must fail a test does.
func TestMatchersFail(t *testing.T) {
	t.Parallel()
	e := entaudit.Entry{Changes: []entaudit.Change{{Field: "name", Old: json.RawMessage(`"a"`), New: json.RawMessage("1")}}}
	m := &audittest.Memory{}
	require.NoError(t, m.Write(t.Context(), []entaudit.Entry{e}))
	for name, f := range map[string]func(t testing.TB){
		"no such field":  func(t testing.TB) { audittest.RequireChange(t, e, "age", 1, 2) },
		"other old":      func(t testing.TB) { audittest.RequireChange(t, e, "name", "b", 1) },
		"other type":     func(t testing.TB) { audittest.RequireChange(t, e, "name", "a", "1") },
		"old present":    func(t testing.TB) { audittest.RequireChange(t, e, "name", audittest.Absent, 1) },
		"one of none":    func(t testing.TB) { m.One(t, audittest.Action("x")) },
		"none of one":    func(t testing.TB) { m.RequireNone(t) },
		"other recorder": func(t testing.TB) { audittest.Recorded(t, discard(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.True(t, fails(t, f))
		})
	}
}

func discard(t testing.TB) *entaudit.Recorder {
	r, err := entaudit.New(entaudit.Config{
		Writer: entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil }),
	})
	require.NoError(t, err)
	return r
}

var errFatal = errors.New("fatal")

// failing is a test that notes that it failed.
type failing struct{ testing.TB }

func (failing) Helper()               {}
func (failing) Fatalf(string, ...any) { panic(errFatal) }

func fails(t *testing.T, f func(testing.TB)) (failed bool) {
	defer func() {
		if p := recover(); p != nil {
			require.Equal(t, errFatal, p)
			failed = true
		}
	}()
	f(failing{t})
	return false
}
