package otelaudit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/otelaudit"
)

// fixed is a queue whose numbers are set.
type fixed queue.Stats

func (f *fixed) Stats() queue.Stats { return queue.Stats(*f) }

// still is a relay whose numbers are set.
type still outbox.Stats

func (s *still) Recent() outbox.Stats { return outbox.Stats(*s) }

// collect returns the value of every metric by name, and checks that counters are such.
func collect(t *testing.T, r *sdk.ManualReader, kind, name string) map[string]float64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(t, r.Collect(t.Context(), &rm))
	values := map[string]float64{}
	for _, sm := range rm.ScopeMetrics {
		require.Equal(t, otelaudit.Scope, sm.Scope.Name)
		for _, m := range sm.Metrics {
			require.NotEmpty(t, m.Unit, m.Name)
			require.NotEmpty(t, m.Description, m.Name)
			var points []metricdata.DataPoint[float64]
			switch data := m.Data.(type) {
			case metricdata.Sum[float64]:
				require.True(t, data.IsMonotonic, m.Name)
				points = data.DataPoints
			case metricdata.Gauge[float64]:
				points = data.DataPoints
			default:
				t.Fatalf("%s is %T", m.Name, m.Data)
			}
			for _, p := range points {
				if v, ok := p.Attributes.Value(attribute.Key(kind)); ok && v.AsString() == name {
					values[m.Name] = p.Value
				}
			}
		}
	}
	return values
}

// TestEveryNumberIsExported sets one field of the numbers after the other, and finds it in
// one metric.
func TestEveryNumberIsExported(t *testing.T) {
	t.Parallel()
	t.Run("queue", func(t *testing.T) {
		t.Parallel()
		r, f := sdk.NewManualReader(), fixed{}
		reg, err := otelaudit.Observe(sdk.NewMeterProvider(sdk.WithReader(r)), "requests", &f)
		require.NoError(t, err)
		exportsAll(t, reflect.ValueOf(&f).Elem(), func() map[string]float64 { return collect(t, r, "queue", "requests") })
		require.NoError(t, reg.Unregister())
		require.Empty(t, collect(t, r, "queue", "requests"))
	})
	t.Run("outbox", func(t *testing.T) {
		t.Parallel()
		r, f := sdk.NewManualReader(), still{}
		reg, err := otelaudit.ObserveRelay(sdk.NewMeterProvider(sdk.WithReader(r)), "audit", &f)
		require.NoError(t, err)
		exportsAll(t, reflect.ValueOf(&f).Elem(), func() map[string]float64 { return collect(t, r, "outbox", "audit") })
		require.NoError(t, reg.Unregister())
		require.Empty(t, collect(t, r, "outbox", "audit"))
	})
}

func exportsAll(t *testing.T, v reflect.Value, collect func() map[string]float64) {
	t.Helper()
	exported := 0
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		v.SetZero()
		switch field := v.Field(i); {
		case name == "LastError":
			field.Set(reflect.ValueOf(errors.New("canary")))
			continue
		case field.Type() == reflect.TypeFor[time.Duration]():
			field.SetInt(int64(7 * time.Second))
		case field.Type() == reflect.TypeFor[time.Time]():
			field.Set(reflect.ValueOf(time.Now().Add(-7 * time.Second)))
		case field.CanInt():
			field.SetInt(7)
		case field.CanUint():
			field.SetUint(7)
		default:
			t.Fatalf("%s is a %s: decide how it is exported", name, field.Type())
		}
		var found []string
		for metric, value := range collect() {
			if value >= 7 {
				require.InDelta(t, 7, value, 6, metric)
				found = append(found, metric)
			} else {
				require.Zero(t, value, metric)
			}
		}
		require.Lenf(t, found, 1, "Stats.%s is exported as %v", name, found)
		exported++
	}
	require.Len(t, collect(), exported)
}

func TestSeveralQueuesWithOneProvider(t *testing.T) {
	t.Parallel()
	r := sdk.NewManualReader()
	mp := sdk.NewMeterProvider(sdk.WithReader(r))
	for i, name := range []string{"requests", "jobs"} {
		q, err := queue.New(&audittest.Memory{}, queue.Config{})
		require.NoError(t, err)
		_, err = otelaudit.Observe(mp, name, q)
		require.NoError(t, err)
		require.NoError(t, q.Write(t.Context(), audittest.Sample(t, i+1)))
		require.NoError(t, q.Close(t.Context()))
	}
	require.InDelta(t, 1, collect(t, r, "queue", "requests")["entaudit.queue.stored"], 0)
	require.InDelta(t, 2, collect(t, r, "queue", "jobs")["entaudit.queue.accepted"], 0)
	_, err := otelaudit.Observe(nil, "x", &fixed{})
	require.Error(t, err)
	_, err = otelaudit.Observe(mp, "x", nil)
	require.Error(t, err)
	_, err = otelaudit.ObserveRelay(mp, "x", nil)
	require.Error(t, err)
}

func traced(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x4b, 0xf9, 15: 0x36}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	require.Empty(t, otelaudit.TraceID(t.Context()))
	require.Equal(t, "4bf90000000000000000000000000036", otelaudit.TraceID(traced(t.Context())))

	m := &audittest.Memory{}
	rec, err := entaudit.New(entaudit.Config{Writer: m, Trace: otelaudit.TraceID})
	require.NoError(t, err)
	require.NoError(t, rec.Log(traced(t.Context()), "a", "invoice", "1"))
	require.NoError(t, rec.Log(traced(entaudit.WithRequest(t.Context(), entaudit.Request{TraceID: "header"})), "b", "invoice", "1"))
	require.Equal(t, "4bf90000000000000000000000000036", m.One(t, audittest.Action("a")).Request.TraceID)
	require.Equal(t, "header", m.One(t, audittest.Action("b")).Request.TraceID, "what is there already stays")
}

func ExampleObserve() {
	r := sdk.NewManualReader()
	q, err := queue.New(&audittest.Memory{}, queue.Config{})
	if err != nil {
		panic(err)
	}
	if _, err := otelaudit.Observe(sdk.NewMeterProvider(sdk.WithReader(r)), "requests", q); err != nil {
		panic(err)
	}
	rec, err := entaudit.New(entaudit.Config{Writer: q, Trace: otelaudit.TraceID})
	if err != nil {
		panic(err)
	}
	if err := rec.Log(context.Background(), "invoice.send", "invoice", "7"); err != nil {
		panic(err)
	}
	if err := rec.Close(context.Background()); err != nil {
		panic(err)
	}
	var rm metricdata.ResourceMetrics
	if err := r.Collect(context.Background(), &rm); err != nil {
		panic(err)
	}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[float64]); ok && m.Name == "entaudit.queue.stored" {
			fmt.Println(m.Name, sum.DataPoints[0].Value)
		}
	}
	// Output: entaudit.queue.stored 1
}
