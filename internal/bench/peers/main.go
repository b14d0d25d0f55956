// Command peers measures this library's middleware and others that look at requests, in
// the same run on the same router.
//
//	go run . -n 300
//
// httplog logs a line for each request, otelhttp makes a span and metrics. What they
// have made goes nowhere: httplog's records to a slog.Handler that drops them, spans to
// a processor that does, as our entries to a Writer that does. "written" in a name means
// that it is encoded as JSON too, by slog.
//
// Results go to standard output, what they are in microseconds to standard error.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/go-chi/httplog/v3"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/request"
)

func main() {
	rounds := flag.Int("n", 300, "pairs of each kind of request")
	flag.Parse()
	if err := request.Compare(context.Background(), contenders(), *rounds, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func contenders() []request.Contender {
	return []request.Contender{
		request.Audited("", request.Discard()),
		{Name: "httplog", Use: withHTTPLog(slog.New(dropper{}))},
		{Name: "otelhttp", Use: withOtel},
		request.Audited("written", entaudit.NewSlog(written())),
		{Name: "httplog-written", Use: withHTTPLog(written())},
	}
}

// written returns a logger that encodes what it gets.
func written() *slog.Logger { return slog.New(slog.NewJSONHandler(io.Discard, nil)) }

// middleware is what a Contender uses for a case.
type middleware = func(http.Handler) http.Handler

// withHTTPLog logs bodies where a case has some. It knows nothing of who asks.
func withHTTPLog(log *slog.Logger) func(request.Case) (middleware, error) {
	return func(c request.Case) (middleware, error) {
		if c.Actor {
			return nil, nil
		}
		bodies := func(*http.Request) bool { return c.Bodies }
		return httplog.RequestLogger(log, &httplog.Options{
			Level: slog.LevelInfo, Schema: httplog.SchemaECS, RecoverPanics: true,
			LogRequestBody: bodies, LogResponseBody: bodies, LogBodyMaxLen: -1,
		}), nil
	}
}

// withOtel samples each request, and counts the bytes of bodies.
func withOtel(c request.Case) (middleware, error) {
	if c.Actor {
		return nil, nil
	}
	return otelhttp.NewMiddleware("bench",
		otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(unseen{}))),
		otelhttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))),
	), nil
}

// dropper is a slog.Handler that wants all records and keeps none.
type dropper struct{}

func (dropper) Enabled(context.Context, slog.Level) bool  { return true }
func (dropper) Handle(context.Context, slog.Record) error { return nil }
func (d dropper) WithAttrs([]slog.Attr) slog.Handler      { return d }
func (d dropper) WithGroup(string) slog.Handler           { return d }

// unseen is a SpanProcessor that takes all spans and keeps none.
type unseen struct{}

func (unseen) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (unseen) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (unseen) Shutdown(context.Context) error                  { return nil }
func (unseen) ForceFlush(context.Context) error                { return nil }
