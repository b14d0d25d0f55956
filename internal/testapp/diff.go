package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

const maxValue = 36 // characters of a value that are shown where many stand in a line

// details prints what changed under the row of an entry: each field on its line for
// an update, all in a paragraph for a row that came or went.
func (r *report) details(e entaudit.Entry) {
	if e.Reason != "" {
		r.field("reason", clean(e.Reason))
	}
	if id := e.Actor.ImpersonatorID; id != "" {
		r.field("acting", clean(id))
	}
	if body := maskedBody(e); body != "" {
		r.field("body", clean(body))
	}
	if e.Operation == entaudit.OpUpdate {
		r.update(e)
	} else {
		r.paragraph(e)
	}
	for _, c := range e.Edges {
		var parts []string
		if c.Unknown {
			parts = append(parts, "written")
		}
		for _, id := range c.Added {
			parts = append(parts, "+"+clean(id))
		}
		for _, id := range c.Removed {
			parts = append(parts, "-"+clean(id))
		}
		r.field(clean(c.Edge), strings.Join(parts, " "))
	}
	for _, path := range slices.Sorted(maps.Keys(e.Marks)) {
		if m := e.Marks[path]; m != entaudit.MarkRedacted { // those are seen
			r.field(clean(path), clean(string(m)))
		}
	}
}

// maskedBody returns the body of a request in which something is masked.
func maskedBody(e entaudit.Entry) string {
	for path, m := range e.Marks {
		if m != entaudit.MarkRedacted || !strings.HasPrefix(path, "metadata.request_body.body.") {
			continue
		}
		described, _ := e.Metadata["request_body"].(map[string]any)
		text, err := json.Marshal(described["body"])
		if err != nil {
			return ""
		}
		return string(text)
	}
	return ""
}

// field prints one line of details.
func (r *report) field(name, text string) {
	room := r.width - margin - utf8.RuneCountInString(name) - 1
	r.printf("%s%s %s\n", strings.Repeat(" ", margin), r.p.paint(dim, name), cut(text, room))
}

// update prints a line per field, "old → new".
func (r *report) update(e entaudit.Entry) {
	names := 0
	for _, c := range e.Changes {
		names = max(names, utf8.RuneCountInString(clean(c.Field)))
	}
	room := r.width - margin - names - 4
	for _, c := range e.Changes {
		from, to := show(c.Old, e.OccurredAt), show(c.New, e.OccurredAt)
		a, b := utf8.RuneCountInString(from), utf8.RuneCountInString(to)
		from, to = cut(from, max(room/2, room-b)), cut(to, max(room-room/2, room-a))
		r.printf("%s%s %s → %s\n", strings.Repeat(" ", margin), r.p.paint(dim, pad(clean(c.Field), names)),
			r.shade(from, red), r.shade(to, green))
	}
}

// paragraph prints the fields of a row that came or went, those that are null left
// out.
func (r *report) paragraph(e entaudit.Entry) {
	used := 0
	for _, c := range e.Changes {
		side, colour := c.New, green
		if side == nil {
			side, colour = c.Old, red
		}
		if side == nil || string(side) == "null" {
			continue
		}
		name, value := clean(c.Field), cut(show(side, e.OccurredAt), maxValue)
		n := utf8.RuneCountInString(name) + 1 + utf8.RuneCountInString(value)
		switch {
		case used == 0:
			r.printf("%s", strings.Repeat(" ", margin))
		case margin+used+2+n > r.width:
			r.printf("\n%s", strings.Repeat(" ", margin))
			used = 0
		default:
			r.printf("  ")
			used += 2
		}
		r.printf("%s %s", r.p.paint(dim, name), r.shade(value, colour))
		used += n
	}
	if used > 0 {
		r.printf("\n")
	}
}

// show returns one side of a change for reading: JSON as it is recorded, but ids and
// times, which are long, without what goes without saying. A side that does not
// exist is a dash.
func show(v json.RawMessage, at time.Time) string {
	if v == nil {
		return "-"
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return clean(string(v))
	}
	if uuid.Validate(s) == nil {
		return "…" + tail(s, idWidth)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	switch {
	case err != nil:
		return clean(string(v))
	case t.Truncate(24 * time.Hour).Equal(t):
		return t.Format(time.DateOnly)
	case t.Format(time.DateOnly) == at.Format(time.DateOnly):
		return t.Format("15:04:05.000")
	}
	return t.Format(time.DateTime)
}

// shade colours a value. Masked ones stand out.
func (r *report) shade(value, colour string) string {
	if strings.Contains(value, entaudit.Redacted) {
		colour = yellow
	}
	return r.p.paint(colour, value)
}
