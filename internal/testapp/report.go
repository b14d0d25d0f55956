package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Columns of the table. What is left of the width is for the resource.
const (
	defaultWidth = 100
	minWidth     = 90
	timeWidth    = 8
	actorWidth   = 20
	tenantWidth  = 6
	actionWidth  = 21
	endWidth     = 11
	idWidth      = 8
	gap          = 1
	indent       = timeWidth + actorWidth + tenantWidth + 3*gap // where actions begin
	margin       = indent + 2                                   // where their details begin
)

// report prints entries for people.
type report struct {
	w     *bufio.Writer
	p     palette
	width int
}

func newReport(w io.Writer) *report {
	width := defaultWidth
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		width = max(n, minWidth)
	}
	return &report{w: bufio.NewWriter(w), p: newPalette(w), width: width}
}

// printJSON prints entries as JSON lines.
func printJSON(w io.Writer, entries []entaudit.Entry) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return b.Flush()
}

// print prints the entries as a table. The changes of a request stand under it.
func (r *report) print(t *trace) error {
	r.heading()
	for i, e := range t.entries {
		if e.Kind == entaudit.KindRequest {
			if c := t.captions[e.Request.ID]; c != "" {
				r.printf("\n%s\n", r.p.paint(bold, c))
			}
		}
		last := i+1 == len(t.entries) || t.entries[i+1].Kind == entaudit.KindRequest
		r.row(e, branch(e, last))
		r.details(e)
	}
	r.printf("\n%s\n", r.summary(t))
	return r.w.Flush()
}

func (r *report) printf(format string, args ...any) {
	fmt.Fprintf(r.w, format, args...) //nolint:errcheck // a bufio.Writer keeps its first error for Flush
}

func (r *report) heading() {
	r.printf("%s\n", r.p.paint(dim, strings.TrimRight(r.cells("TIME UTC", "ACTOR", "TENANT", "ACTION", "RESOURCE", "OUTCOME", "REQUEST"), " ")))
	r.printf("\n%s\n", r.p.paint(bold, "The service makes its first tenants and users."))
}

// branch is what stands in front of the action: changes hang on their request.
func branch(e entaudit.Entry, last bool) string {
	switch {
	case e.Kind == entaudit.KindRequest || e.Request.ID == "":
		return ""
	case last:
		return "└ "
	}
	return "├ "
}

func (r *report) resourceWidth() int {
	return r.width - indent - actionWidth - endWidth - idWidth - 3*gap
}

// cells puts the texts of a row into their columns. An action may reach into the
// column of resources where that is blank.
func (r *report) cells(time, actor, tenant, action, resource, end, id string) string {
	fit := func(s string, n int) string { return pad(cut(s, n), n) + strings.Repeat(" ", gap) }
	middle := fit(action, actionWidth) + fit(resource, r.resourceWidth())
	if resource == "" {
		middle = fit(action, actionWidth+gap+r.resourceWidth())
	}
	return fit(time, timeWidth) + fit(actor, actorWidth) + fit(tenant, tenantWidth) + middle + fit(end, endWidth) + cut(id, idWidth)
}

func (r *report) row(e entaudit.Entry, branch string) {
	line := r.cells(
		e.OccurredAt.Format("15:04:05"),
		clean(actor(e)),
		clean(cmp.Or(e.Tenant.Slug, tail(e.Tenant.ID, tenantWidth))),
		branch+clean(e.Action),
		clean(resource(e)),
		clean(outcome(e)),
		clean(tail(e.Request.ID, idWidth)),
	)
	switch {
	case e.Outcome == entaudit.Denied || e.Outcome == entaudit.Failure:
		line = r.p.paint(red, line)
	case e.Kind == entaudit.KindSystem:
		line = r.p.paint(yellow, line)
	case e.Kind == entaudit.KindRequest:
		line = r.p.paint(blue, line)
	}
	r.printf("%s\n", strings.TrimRight(line, " "))
}

func actor(e entaudit.Entry) string {
	return cmp.Or(e.Actor.Email, e.Actor.ID, string(e.Actor.Type))
}

// resource tells what an entry is about, as far as its action does not say it: the
// path of a request for a pattern, the id and label of a row.
func resource(e entaudit.Entry) string {
	if e.Kind == entaudit.KindRequest {
		if e.Request.Path == e.Request.Route {
			return ""
		}
		return e.Request.Path
	}
	var parts []string
	if !strings.HasPrefix(e.Action, e.Resource.Type+".") {
		parts = append(parts, e.Resource.Type)
	}
	switch id := e.Resource.ID; {
	case uuid.Validate(id) == nil:
		parts = append(parts, "#"+tail(id, idWidth))
	case id != "":
		parts = append(parts, "#"+id)
	}
	return strings.TrimSpace(strings.Join(append(parts, e.Resource.Label), " "))
}

func outcome(e entaudit.Entry) string {
	if e.Request.StatusCode == 0 {
		return string(e.Outcome)
	}
	return strconv.Itoa(e.Request.StatusCode) + " " + string(e.Outcome)
}

func (r *report) summary(t *trace) string {
	kinds := map[entaudit.Kind]int{}
	for _, e := range t.entries {
		kinds[e.Kind]++
	}
	database := map[string]string{dialect.Postgres: "PostgreSQL", dialect.MySQL: "MySQL", dialect.SQLite: "SQLite"}[t.dialect]
	return fmt.Sprintf("%d entries in %s: %d of requests, %d of changed rows, %d of what was left out on purpose.",
		len(t.entries), database, kinds[entaudit.KindRequest], kinds[entaudit.KindMutation], kinds[entaudit.KindSystem])
}

// clean leaves out what a terminal would obey instead of showing.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029' {
			return -1
		}
		return c
	}, s)
}

// tail is the end of an id: ids of one minute begin alike.
func tail(id string, n int) string { return id[max(len(id)-n, 0):] }

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0)) }
