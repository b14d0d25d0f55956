package chiaudit_test

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// What a request costs more than with the bare router. Time is measured by
// BenchmarkHandler and BenchmarkBareRouter.
func TestW30AllocationsOverTheBareRouter(t *testing.T) { //nolint:paralleltest // it counts what the program allocates
	const most = 15
	count := func(h http.Handler) float64 {
		w := &blank{header: http.Header{}}
		r := httptest.NewRequest(http.MethodGet, "/invoices/42?page=2", nil)
		r.Header = browser
		least := math.Inf(1) // under the race detector a sync.Pool forgets at random
		for range 100 {
			least = min(least, testing.AllocsPerRun(10, func() { h.ServeHTTP(w, r) }))
		}
		return least
	}
	bare, ours := count(benchRouter(t, nil)), count(benchRouter(t, &chiaudit.Options{}))
	t.Logf("%v with, %v without", ours, bare)
	require.LessOrEqual(t, ours-bare, float64(most), "%v with recording, %v without", ours, bare)
}

// What a handler leaves running behind it does not prolong its request, and what that
// records belongs to the request without being a part of its entry.
func TestW29LateWorkIsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, rec, m := setup(t, chiaudit.Options{})
		r.Post("/jobs", func(w http.ResponseWriter, r *http.Request) {
			as(r.Context())
			time.Sleep(time.Second)
			w.WriteHeader(202)
			_, _ = w.Write([]byte("ok"))
			time.Sleep(time.Second) // the response ends when the handler returns
			ctx := context.WithoutCancel(r.Context())
			go func() {
				time.Sleep(time.Hour)
				entaudit.SetActor(ctx, entaudit.Actor{ID: "mallory"}) // too late for the request's entry
				require.False(t, chiaudit.Annotate(ctx, chiaudit.Action("late")))
				require.NoError(t, rec.Record(ctx, entaudit.Entry{Action: "job.done"}))
			}()
		})
		begun := time.Now()
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/jobs", nil))
		e := m.only(t)
		require.Equal(t, 2*time.Second, e.Duration)
		synctest.Wait()
		time.Sleep(2 * time.Hour)
		entries := m.all()
		require.Len(t, entries, 2)
		require.Equal(t, e, entries[0], "it does not change")
		require.Equal(t, alice, entries[0].Actor)
		late := entries[1]
		require.NotEqual(t, e.ID, late.ID)
		require.Equal(t, e.Request.ID, late.Request.ID)
		require.Equal(t, entaudit.KindManual, late.Kind)
		require.Equal(t, begun.Add(time.Hour+2*time.Second).UTC(), late.OccurredAt)
	})
}
