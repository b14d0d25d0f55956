// Package otelaudit joins auditing with OpenTelemetry: the numbers of queues and of
// relays as metrics, and the trace that an entry belongs to.
//
//	rec, err := entaudit.New(entaudit.Config{Writer: q, Trace: otelaudit.TraceID})
//	reg, err := otelaudit.Observe(otel.GetMeterProvider(), "requests", q)
//	reg, err = otelaudit.ObserveRelay(otel.GetMeterProvider(), "audit", relay)
//
// It is a module of its own, so that auditing does not bring OpenTelemetry along.
package otelaudit
