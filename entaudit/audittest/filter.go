package audittest

import (
	"testing"
	"time"

	"github.com/entaudit/audit/entaudit"
)

func filtersExactly(t *testing.T, s ReadWriter) {
	e := Sample(t, 6)
	e[0].Tenant.ID = "Acme"
	e[1].Tenant.ID = "acme "
	e[2].Actor.ID = "k%"
	e[3].Resource.Type, e[3].Resource.ID = "order", "0"
	e[4].Request.ID, e[4].Outcome, e[4].Kind = "req-2", entaudit.Denied, entaudit.KindRequest
	e[5].Operation, e[5].Actor.ImpersonatorID = entaudit.OpDelete, ""
	write(t, s, e...)
	for _, tt := range []struct {
		name   string
		filter Filter
		want   []int
	}{
		{"all", Filter{}, []int{0, 1, 2, 3, 4, 5}},
		{"tenant", Filter{TenantID: "acme"}, []int{2, 3, 4, 5}},
		{"tenant in other case", Filter{TenantID: "Acme"}, []int{0}},
		{"tenant with a space", Filter{TenantID: "acme "}, []int{1}},
		{"tenant by pattern", Filter{TenantID: "ac%"}, nil},
		{"tenant that injects", Filter{TenantID: "' OR '1'='1"}, nil},
		{"actor", Filter{ActorID: "kim"}, []int{0, 1, 3, 4, 5}},
		{"actor that looks like a pattern", Filter{ActorID: "k%"}, []int{2}},
		{"impersonator", Filter{ImpersonatorID: "root"}, []int{0, 1, 2, 3, 4}},
		{"resource type", Filter{ResourceType: "order"}, []int{3}},
		{"resource", Filter{ResourceType: "invoice", ResourceID: "0"}, []int{0}},
		{"request", Filter{RequestID: "req-2"}, []int{4}},
		{"outcome", Filter{Outcome: entaudit.Denied}, []int{4}},
		{"kind", Filter{Kind: entaudit.KindRequest}, []int{4}},
		{"operation", Filter{Operation: entaudit.OpDelete}, []int{5}},
		{"several", Filter{TenantID: "acme", ActorID: "kim", Operation: entaudit.OpUpdate}, []int{3, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.filter.Oldest = true
			requireListed(t, s, tt.filter, e, tt.want)
		})
	}
}

// requireListed checks that f lists the entries of all at these places.
func requireListed(t *testing.T, s ReadWriter, f Filter, all []entaudit.Entry, want []int) {
	t.Helper()
	got, _ := list(t, s, f)
	if len(got) != len(want) {
		t.Fatalf("%+v lists %d entries, want %d:\n%s", f, len(got), len(want), dump(got))
	}
	for i, at := range want {
		if got[i].ID != all[at].ID {
			t.Errorf("%+v: entry %d is about %+v, want %+v", f, i, got[i].Resource, all[at].Resource)
		}
	}
}

func filtersTimes(t *testing.T, s ReadWriter) {
	e := Sample(t, 5)
	at := e[0].OccurredAt
	e[1].OccurredAt = at.Add(-time.Microsecond)
	e[2].OccurredAt = at.Add(-48 * time.Hour) // told of much later
	e[3].OccurredAt = at.Add(-24 * time.Hour)
	e[4].OccurredAt = at.Add(time.Second)
	write(t, s, e...)
	for _, tt := range []struct {
		name   string
		filter Filter
		want   []int
	}{
		{"since includes its time", Filter{Since: at}, []int{0, 4}},
		{"since in another zone", Filter{Since: at.In(time.FixedZone("", 5*3600))}, []int{0, 4}},
		{"until excludes its time", Filter{Until: at}, []int{1, 2, 3}},
		{"between", Filter{Since: at.Add(-24 * time.Hour), Until: at.Add(time.Microsecond)}, []int{0, 1, 3}},
		{"long ago", Filter{Since: at.Add(-72 * time.Hour), Until: at.Add(-36 * time.Hour)}, []int{2}},
		{"before 1970", Filter{Until: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.filter.Oldest = true
			requireListed(t, s, tt.filter, e, tt.want)
		})
	}
}

func limitsPages(t *testing.T, s ReadWriter) {
	write(t, s, Sample(t, maxLimit+1)...)
	for _, tt := range []struct{ limit, want int }{
		{0, defaultLimit},
		{1, 1},
		{maxLimit, maxLimit},
		{1e9, maxLimit},
	} {
		got, next := list(t, s, Filter{Limit: tt.limit})
		if len(got) != tt.want || next == "" {
			t.Errorf("a limit of %d gives %d entries and cursor %q, want %d and a cursor", tt.limit, len(got), next, tt.want)
		}
	}
	got, next := list(t, s, Filter{ResourceType: "invoice", ResourceID: "0", Limit: 1})
	if len(got) != 1 || next != "" {
		t.Errorf("a full last page has %d entries and cursor %q, want 1 and none", len(got), next)
	}
}

func refusesInvalidFilters(t *testing.T, s ReadWriter) {
	now := time.Now()
	for _, f := range []Filter{
		{ResourceID: "1"},
		{Limit: -1},
		{Since: now, Until: now},
		{Since: now, Until: now.Add(-time.Second)},
		{Cursor: "x"},
	} {
		if _, _, err := s.List(t.Context(), f); err == nil {
			t.Errorf("%+v is accepted; want an error that names the field", f)
		}
	}
}
