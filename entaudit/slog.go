package entaudit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"
)

// NewSlog returns a Writer that logs every entry with all its fields at level
// INFO, through the handler of l or, when l is nil, of slog.Default at the time of
// the call. It does not ask the handler whether INFO is enabled: a level that
// quiets a program does not unmake its audit trail. A handler that leaves out
// levels by itself, as slog.MultiHandler does, is believed. An error of the handler
// is returned, and the entries behind it are not logged.
func NewSlog(l *slog.Logger) Writer { return slogWriter{l} }

type slogWriter struct{ l *slog.Logger }

func (w slogWriter) String() string { return "slog" }

func (w slogWriter) Write(ctx context.Context, entries []Entry) error {
	l := w.l
	if l == nil {
		l = slog.Default()
	}
	h := l.Handler() // a Logger drops what the handler returns
	for i := range entries {
		r := slog.NewRecord(time.Now(), slog.LevelInfo, "audit", 0)
		r.AddAttrs(entries[i].attrs()...)
		if err := h.Handle(ctx, r); err != nil {
			return fmt.Errorf("slog: entry %s: %w", entries[i].ID, err)
		}
	}
	return nil
}

// attrs returns the fields of the entry under the names of the table's columns,
// blank ones left out.
func (e *Entry) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 24)
	text := func(name, s string) {
		if s != "" {
			attrs = append(attrs, slog.String(name, visible(s)))
		}
	}
	object := func(name string, v any) {
		b, err := marshalVisible(v)
		if err != nil {
			text(name, err.Error())
			return
		}
		attrs = append(attrs, slog.Any(name, json.RawMessage(b)))
	}
	number := func(name string, n int64) {
		if n != 0 {
			attrs = append(attrs, slog.Int64(name, n))
		}
	}
	attrs = append(attrs, slog.String("id", e.ID.String()), slog.Int("schema_version", e.SchemaVersion))
	text("service", e.Service)
	text("kind", string(e.Kind))
	text("action", e.Action)
	text("operation", string(e.Operation))
	text("outcome", string(e.Outcome))
	text("reason", e.Reason)
	attrs = append(attrs, slog.Time("occurred_at", e.OccurredAt))
	if !e.RecordedAt.IsZero() {
		attrs = append(attrs, slog.Time("recorded_at", e.RecordedAt))
	}
	number("duration_us", e.Duration.Microseconds())
	text("actor_id", e.Actor.ID)
	text("actor_type", string(e.Actor.Type))
	text("actor_email", e.Actor.Email)
	text("impersonator_id", e.Actor.ImpersonatorID)
	if len(e.Actor.Chain) > 0 {
		object("actor_chain", e.Actor.Chain)
	}
	text("tenant_id", e.Tenant.ID)
	text("tenant_slug", e.Tenant.Slug)
	text("actor_tenant_id", e.ActorTenantID)
	text("resource_type", e.Resource.Type)
	text("resource_id", e.Resource.ID)
	text("resource_label", e.Resource.Label)
	text("resource_schema", e.Resource.Schema)
	if len(e.Changes) > 0 {
		object("changes", EncodeChanges(e.Changes))
	}
	if len(e.Edges) > 0 {
		object("edges", edgesToJSON(e.Edges))
	}
	if e.CauseID != (Entry{}).CauseID {
		text("cause_id", e.CauseID.String())
	}
	if e.TxID != (Entry{}).TxID {
		text("tx_id", e.TxID.String())
	}
	number("tx_seq", int64(e.TxSeq))
	text("request_id", e.Request.ID)
	text("trace_id", e.Request.TraceID)
	text("method", e.Request.Method)
	text("path", e.Request.Path)
	text("route", e.Request.Route)
	text("query", e.Request.Query)
	number("status_code", int64(e.Request.StatusCode))
	text("ip_address", e.Request.IP)
	text("user_agent", e.Request.UserAgent)
	if len(e.Metadata) > 0 {
		object("metadata", e.Metadata)
	}
	if len(e.Marks) > 0 {
		object("marks", e.Marks)
	}
	return attrs
}

// visible returns s with the characters that handlers of slog may print as they
// are, although they break lines or hide text, written as \uXXXX.
func visible(s string) string {
	hidden := func(r rune) bool { return r >= 0x7f && r < 0xa0 || invisible(r) }
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for _, r := range s {
		if hidden(r) {
			b = appendEscape(b, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}
