package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// TestConcurrentRequests lets many clients change the same few invoices. Whatever
// succeeds and fails meanwhile, the entries of an invoice must tell its history
// without a gap, and end with what the database has.
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	const clients, rounds = 6, 8
	each(t, func(t *testing.T, b *bundle) {
		var ids []int
		for n := range 3 {
			ids = append(ids, b.ok(t, b.cast.alice, "POST", "/invoices", fmt.Sprintf(
				`{"number":"A-%d","customer":"c","due_on":"2020-01-31","lines":[{"text":"Logo","price":"1"}]}`, n)))
		}
		var mu sync.Mutex
		status := map[string]int{} // of each request, by its id
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				for n := range rounds {
					method, path := "PATCH", fmt.Sprintf("/invoices/%d", ids[(c+n)%len(ids)])
					body := fmt.Sprintf(`{"customer":"c%d-%d","status":"open"}`, c, n)
					if n%3 == 2 {
						method, path, body = "POST", "/invoices/close-overdue", ""
					}
					a := b.send(t, b.cast.bob, method, path, body)
					mu.Lock()
					status[a.requestID] = a.status
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		answers := map[int]int{}
		for _, n := range status {
			answers[n]++
		}
		t.Logf("answers by status: %v", answers)
		entries := b.entries(t)
		for _, id := range ids {
			requireHistory(t, b, entries, id)
		}
		require.Len(t, status, clients*rounds)
		for _, e := range entries {
			want, ok := status[e.Request.ID]
			if !ok {
				continue // the invoices themselves
			}
			if e.Kind == entaudit.KindMutation {
				require.Equal(t, http.StatusOK, want, "%s: a request that failed left an entry", e.Action)
				continue
			}
			require.Equal(t, want, e.Request.StatusCode)
			delete(status, e.Request.ID)
		}
		require.Empty(t, status, "requests without an entry")
	})
}

func requireHistory(t *testing.T, b *bundle, entries []entaudit.Entry, id int) {
	t.Helper()
	i, err := b.app.client.Invoice.Get(t.Context(), id)
	require.NoError(t, err)
	history := slices.DeleteFunc(slices.Clone(entries), func(e entaudit.Entry) bool {
		return e.Action != "invoice.update" || e.Resource.ID != strconv.Itoa(id)
	})
	slices.SortFunc(history, func(a, b entaudit.Entry) int { return cmp.Compare(version(a), version(b)) })
	customer, status := `"c"`, `"open"`
	for n, e := range history {
		requireChange(t, e, "version", strconv.Itoa(n+1), strconv.Itoa(n+2))
		for field, now := range map[string]*string{"customer": &customer, "status": &status} {
			if c, ok := e.Change(field); ok {
				assert.Equal(t, *now, string(c.Old), "version %d: %s", n+1, field)
				*now = string(c.New)
			}
		}
		assert.True(t, n == 0 || history[n-1].ID.String() < e.ID.String(), "version %d is in order of time", n+1)
	}
	require.Equal(t, i.Version, len(history)+1, "changes without an entry")
	require.Equal(t, []string{strconv.Quote(i.Customer), strconv.Quote(string(i.Status))}, []string{customer, status})
}

// version returns the version that an entry leaves.
func version(e entaudit.Entry) int {
	c, _ := e.Change("version")
	n, _ := strconv.Atoi(string(c.New)) // 0 where there is none, which requireChange tells
	return n
}
