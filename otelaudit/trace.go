package otelaudit

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// TraceID returns the id of the trace that ctx belongs to, as 32 hexadecimal digits, or
// "". It is meant for entaudit.Config.Trace, which asks it where a request's own header did
// not name a trace.
func TraceID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return s.TraceID().String()
	}
	return ""
}
