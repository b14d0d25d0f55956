package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/pair"
)

// deliverySettings are the flags of the command delivery.
type deliverySettings struct {
	pairs, entries int
}

// deliveryCase compares the library with the least that does the same work.
type deliveryCase struct {
	name string
	// open returns both ways of storing the entries of load, which begin with nothing
	// stored each time.
	open func(ctx context.Context, load []entaudit.Entry) (*twoWays, error)
}

// twoWays is the library's way and the raw one. reset is called before each of
// them and is not timed.
type twoWays struct {
	ours, raw func(ctx context.Context) error
	reset     func(ctx context.Context) error
	close     func(ctx context.Context) error
}

// deliveryCases are all of them. To add one is to add a line.
func deliveryCases() []deliveryCase {
	return []deliveryCase{
		{"enqueue", enqueue},
		{"accept-durable", acceptDurable},
		{"drain-postgres", drainPostgres},
		{"drain-sqlite", drainSQLite},
		{"relay-postgres", relayPostgres},
	}
}

// deliveryCommand prints how fast entries are delivered, as a share of what the raw way
// reaches in the same run: 1 is as fast, 0.5 half as fast.
func deliveryCommand(ctx context.Context, args []string, stdout io.Writer, p *progress) error {
	var s deliverySettings
	var names string
	flags := newFlags("delivery", p)
	flags.IntVar(&s.pairs, "n", 20, "pairs of each case")
	flags.IntVar(&s.entries, "entries", 5000, "entries each time")
	flags.StringVar(&names, "case", "", "cases; all when empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cases := deliveryCases()
	if names != "" {
		chosen := strings.Split(names, ",")
		cases = slices.DeleteFunc(cases, func(c deliveryCase) bool { return !slices.Contains(chosen, c.name) })
		if len(cases) != len(chosen) {
			return fmt.Errorf("-case: one of %q is not known", names)
		}
	}
	load, err := loadOf(ctx, s.entries)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if err := s.measure(ctx, c, load, stdout, p); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (s deliverySettings) measure(ctx context.Context, c deliveryCase, load []entaudit.Entry, stdout io.Writer, p *progress) (err error) {
	ways, err := c.open(ctx, load)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ways.close(context.WithoutCancel(ctx))) }()
	var ours, raw []time.Duration
	for round := -1; round < s.pairs; round++ {
		p.step("delivery %s %d/%d", c.name, max(round, 0), s.pairs)
		var took [2]time.Duration
		for turn, i := range pair.Order(2) {
			if err := ways.reset(ctx); err != nil {
				return fmt.Errorf("turn %d: %w", turn, err)
			}
			start := time.Now()
			if err := []func(context.Context) error{ways.ours, ways.raw}[i](ctx); err != nil {
				return fmt.Errorf("turn %d: %w", turn, err)
			}
			took[i] += time.Since(start) / 2
		}
		if round >= 0 {
			ours, raw = append(ours, took[0]), append(raw, took[1])
		}
	}
	p.clear()
	r := pair.RatioOf(raw, ours)
	if _, err := fmt.Fprintf(stdout, "ratio delivery %s %.2f\n", c.name, r.Median); err != nil {
		return err
	}
	perSecond := func(took []time.Duration) float64 { return float64(len(load)) / pair.Typical(took).Seconds() }
	p.say("# delivery %s: %.0f entries/s to %.0f, half of all ratios within %.2f and %.2f",
		c.name, perSecond(ours), perSecond(raw), r.Low, r.High)
	return nil
}

// loadOf returns finished entries as a service makes them: of rows that were created, and
// of the requests that did it.
func loadOf(ctx context.Context, n int) ([]entaudit.Entry, error) {
	rec, err := entaudit.New(entaudit.Config{Service: "bench"})
	if err != nil {
		return nil, err
	}
	ctx = caller(ctx)
	entries := make([]entaudit.Entry, n)
	for i := range entries {
		r := recordOf(i)
		origin := rec.Origin(ctx)
		origin.Request.ID = r.reference.String()
		e := rec.NewEntry(entaudit.KindMutation, origin)
		e.Action, e.Operation, e.Outcome = "invoice.create", entaudit.OpCreate, entaudit.Success
		e.Resource = entaudit.Resource{Type: "invoice", ID: fmt.Sprint(i), Label: r.number}
		text := func(s string) []byte { return entaudit.AppendString(nil, s) }
		e.Changes = []entaudit.Change{
			{Field: "number", New: text(r.number)},
			{Field: "customer", New: text(r.customer)},
			{Field: "quantity", New: fmt.Append(nil, r.quantity)},
			{Field: "paid", New: fmt.Append(nil, r.paid)},
			{Field: "status", New: text(r.status)},
			{Field: "reference", New: text(r.reference.String())},
			{Field: "due_at", New: text(r.dueAt.Format(time.RFC3339Nano))},
		}
		rec.Finish(&e)
		entries[i] = e
	}
	return entries, nil
}
