package otelaudit

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/queue"
)

// Scope is the name of the meter.
const Scope = "github.com/entaudit/audit/otelaudit"

// Source has the numbers of a queue. It is [queue.Queue].
type Source interface {
	Stats() queue.Stats
}

// counters are what only grows while a queue lives.
func counters() []instrument[queue.Stats] {
	return []instrument[queue.Stats]{
		{"accepted", "{entry}", "Entries that were accepted.", func(s queue.Stats) float64 { return float64(s.Accepted) }},
		{"recovered", "{entry}", "Entries that the spool had from before.", func(s queue.Stats) float64 { return float64(s.Recovered) }},
		{"stored", "{entry}", "Entries that the writer took.", func(s queue.Stats) float64 { return float64(s.Stored) }},
		{"dead_lettered", "{entry}", "Entries that the writer refused and that were put aside.", func(s queue.Stats) float64 { return float64(s.DeadLettered) }},
		{"dropped", "{entry}", "Entries that were accepted and given up.", func(s queue.Stats) float64 { return float64(s.Dropped) }},
		{"rejected", "{entry}", "Entries that were not accepted.", func(s queue.Stats) float64 { return float64(s.Rejected) }},
		{"retried", "{write}", "Writes that were tried again.", func(s queue.Stats) float64 { return float64(s.Retried) }},
	}
}

// gauges are what goes up and down.
func gauges() []instrument[queue.Stats] {
	return []instrument[queue.Stats]{
		{"depth", "{entry}", "Entries in memory.", func(s queue.Stats) float64 { return float64(s.Depth) }},
		{"size", "By", "What the entries in memory take, as estimated.", func(s queue.Stats) float64 { return float64(s.Bytes) }},
		{"spooled", "{entry}", "Entries in the spool.", func(s queue.Stats) float64 { return float64(s.Spooled) }},
		{"oldest_age", "s", "How long the oldest entry has been waiting.", func(s queue.Stats) float64 { return s.OldestAge.Seconds() }},
		{"failing", "s", "For how long the writer has been taking nothing.", func(s queue.Stats) float64 { return s.Failing.Seconds() }},
	}
}

// Relay has the numbers of a relay. It is [outbox.Relay].
type Relay interface {
	Recent() outbox.Stats
}

// relayCounters are what only grows while a relay lives.
func relayCounters() []instrument[outbox.Stats] {
	return []instrument[outbox.Stats]{
		{"relayed", "{entry}", "Entries that the writer took.", func(s outbox.Stats) float64 { return float64(s.Relayed) }},
		{"retried", "{batch}", "Times that entries were given back, to be tried again.", func(s outbox.Stats) float64 { return float64(s.Retried) }},
		{"refused", "{entry}", "Times that an entry was not taken by itself, or could not be read.", func(s outbox.Stats) float64 { return float64(s.Refused) }},
		{"dead_lettered", "{entry}", "Entries that the writer refused and that were put aside.", func(s outbox.Stats) float64 { return float64(s.DeadLettered) }},
	}
}

// relayGauges are what goes up and down.
func relayGauges() []instrument[outbox.Stats] {
	return []instrument[outbox.Stats]{
		{"pending", "{entry}", "Entries in the outbox.", func(s outbox.Stats) float64 { return float64(s.Pending) }},
		{"oldest_age", "s", "How long the oldest entry has been waiting.", func(s outbox.Stats) float64 { return s.OldestAge().Seconds() }},
	}
}

// instrument is one number among those of a queue or a relay.
type instrument[S any] struct {
	name, unit, description string
	value                   func(S) float64
}

// Observe exports the numbers of q as metrics named entaudit.queue.accepted and the like,
// with the attribute queue set to name. They are read when they are collected. It stays
// registered until the Registration is unregistered; observe each queue once. The text of
// the last error is not exported: entaudit.Recorder.Health tells what is wrong.
func Observe(mp metric.MeterProvider, name string, q Source) (metric.Registration, error) {
	if mp == nil || q == nil {
		return nil, errors.New("otelaudit: observe: the meter provider or the queue is nil")
	}
	return observe(mp, "queue", name, q.Stats, counters(), gauges())
}

// ObserveRelay exports the numbers of r as metrics named entaudit.outbox.relayed and the
// like, with the attribute outbox set to name, as [Observe] does those of a queue.
func ObserveRelay(mp metric.MeterProvider, name string, r Relay) (metric.Registration, error) {
	if mp == nil || r == nil {
		return nil, errors.New("otelaudit: observe: the meter provider or the relay is nil")
	}
	return observe(mp, "outbox", name, r.Recent, relayCounters(), relayGauges())
}

// observe exports the numbers of one of several of a kind.
func observe[S any](mp metric.MeterProvider, kind, name string, now func() S, counters, gauges []instrument[S]) (metric.Registration, error) {
	meter := mp.Meter(Scope)
	var all []metric.Observable
	var read []func(metric.Observer, S)
	with := metric.WithAttributeSet(attribute.NewSet(attribute.String(kind, name)))
	add := func(o metric.Float64Observable, value func(S) float64) {
		all = append(all, o)
		read = append(read, func(to metric.Observer, s S) { to.ObserveFloat64(o, value(s), with) })
	}
	prefix := "entaudit." + kind + "."
	for _, i := range counters {
		c, err := meter.Float64ObservableCounter(prefix+i.name, metric.WithUnit(i.unit), metric.WithDescription(i.description))
		if err != nil {
			return nil, fmt.Errorf("otelaudit: observe: %w", err)
		}
		add(c, i.value)
	}
	for _, i := range gauges {
		g, err := meter.Float64ObservableGauge(prefix+i.name, metric.WithUnit(i.unit), metric.WithDescription(i.description))
		if err != nil {
			return nil, fmt.Errorf("otelaudit: observe: %w", err)
		}
		add(g, i.value)
	}
	reg, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		s := now()
		for _, f := range read {
			f(to, s)
		}
		return nil
	}, all...)
	if err != nil {
		return nil, fmt.Errorf("otelaudit: observe: %w", err)
	}
	return reg, nil
}
