// Package request measures what middleware adds to a request, by the side of the same
// router without it.
package request

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"time"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/pair"
)

// Contender is middleware to measure.
type Contender struct {
	// Name stands in front of that of the case in the results. It is empty for this
	// library's own, with a Writer that discards.
	Name string
	// Use returns the middleware for a case, nil where it has none for it.
	Use func(Case) (func(http.Handler) http.Handler, error)
}

// Audited returns this library's middleware, which hands its entries to w.
func Audited(name string, w entaudit.Writer) Contender {
	return Contender{name, func(c Case) (func(http.Handler) http.Handler, error) {
		rec, err := entaudit.New(entaudit.Config{Service: "bench", Writer: w})
		if err != nil {
			return nil, err
		}
		return chiaudit.Handler(rec, c.options), nil
	}}
}

const (
	block  = 5   // requests that are timed together: soon over, so that few blocks are interrupted
	warmup = 25  // rounds that are not counted
	counts = 500 // requests of which the allocations are counted
)

// Compare runs each case on the bare router and with the middleware of each contender,
// in turn, and prints to results what they took to the bare router, and to remarks how
// much that is.
func Compare(ctx context.Context, all []Contender, rounds int, results, remarks io.Writer) error {
	cases, err := Cases(ctx)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if err := c.compare(ctx, all, rounds, results, remarks); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return Close(ctx, cases)
}

func (c Case) compare(ctx context.Context, all []Contender, rounds int, results, remarks io.Writer) error {
	routers := []http.Handler{router(nil)}
	labels := []string{""}
	for _, contender := range all {
		use, err := contender.Use(c)
		if err != nil {
			return fmt.Errorf("%s: %w", contender.Name, err)
		}
		if use == nil {
			continue
		}
		label := c.Name
		if contender.Name != "" {
			label = contender.Name + "-" + c.Name
		}
		routers, labels = append(routers, router(use)), append(labels, label)
	}
	took, err := c.race(ctx, routers, rounds)
	if err != nil {
		return err
	}
	bare := c.allocations(routers[0])
	for i := 1; i < len(routers); i++ {
		r := pair.RatioOf(took[i], took[0])
		if _, err := fmt.Fprintf(results, "ratio http %s %.2f\n", labels[i], r.Median); err != nil {
			return err
		}
		// Results do not depend on it.
		_, _ = fmt.Fprintf(remarks, "# http %s: %v more than %v, %.0f allocations more, half of all ratios within %.2f and %.2f\n",
			labels[i], pair.Excess(took[i], took[0])/block, pair.Typical(took[0])/block, c.allocations(routers[i])-bare, r.Low, r.High)
	}
	return nil
}

// race returns what each round took, by router.
func (c Case) race(ctx context.Context, routers []http.Handler, rounds int) ([][]time.Duration, error) {
	took := make([][]time.Duration, len(routers))
	w := &blank{header: http.Header{}}
	for round := -warmup; round < rounds; round++ {
		sums := make([]time.Duration, len(routers))
		for _, i := range pair.Order(len(routers)) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			start := time.Now()
			for range block {
				c.serve(routers[i], w)
			}
			sums[i] += time.Since(start)
			if err := c.check(w); err != nil {
				return nil, err
			}
		}
		for i := range routers {
			if round >= 0 {
				took[i] = append(took[i], sums[i]/2)
			}
		}
	}
	return took, nil
}

// serve has a router serve one request.
func (c Case) serve(router http.Handler, w *blank) {
	clear(w.header)
	maps.Copy(w.header, c.header)
	w.status, w.size = 0, 0
	router.ServeHTTP(w, c.request())
}

// check reports a response that is not what the case asks for: a request that is
// refused is soon served.
func (c Case) check(w *blank) error {
	size := 0
	if c.Bodies {
		size = len(Body())
	}
	if w.status > http.StatusOK || w.size != size {
		return fmt.Errorf("answered with status %d and %d bytes", w.status, w.size)
	}
	return nil
}

// allocations returns how many allocations a request takes.
func (c Case) allocations(router http.Handler) float64 {
	w := &blank{header: http.Header{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range counts {
		c.serve(router, w)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / counts
}
