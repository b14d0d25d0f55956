package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"runtime"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/ent"
	"github.com/entaudit/audit/internal/bench/ent/invoice"
)

// What may be more at the end of a soak than at its second sample. A leak of one
// small object per mutation would be 16 MB after a million.
const (
	heapSlack      = 1 << 20 // bytes that live after a collection
	goroutineSlack = 2
	samples        = 50
)

// soakCommand makes many changes and fails where something grows with their number.
func soakCommand(ctx context.Context, args []string, stdout io.Writer, p *progress) error {
	var n int
	flags := newFlags("soak", p)
	flags.IntVar(&n, "n", 1_000_000, "mutations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tmp, err := newScratch(ctx, dialect.SQLite, "", false)
	if err != nil {
		return err
	}
	err = soak(ctx, tmp.driver, tmp.dsn, n, func(s sample) error {
		_, err := fmt.Fprintln(stdout, s)
		return err
	})
	return errors.Join(err, tmp.drop())
}

// sample is what is in use after a number of mutations.
type sample struct {
	mutations, entries      int
	heap                    uint64
	goroutines, connections int
}

// String implements fmt.Stringer.
func (s sample) String() string {
	return fmt.Sprintf("soak %d mutations, %d entries: heap %d KiB, %d goroutines, %d connections",
		s.mutations, s.entries, s.heap>>10, s.goroutines, s.connections)
}

// grown returns an error where more is in use than there was at first.
func (s sample) grown(first sample) error {
	var errs []error
	if s.heap > first.heap+heapSlack {
		errs = append(errs, fmt.Errorf("the live heap grew from %d to %d bytes, by more than %d", first.heap, s.heap, heapSlack))
	}
	if s.goroutines > first.goroutines+goroutineSlack {
		errs = append(errs, fmt.Errorf("goroutines grew from %d to %d, by more than %d", first.goroutines, s.goroutines, goroutineSlack))
	}
	if s.connections > first.connections {
		errs = append(errs, fmt.Errorf("open connections grew from %d to %d", first.connections, s.connections))
	}
	return errors.Join(errs...)
}

// soak makes n mutations on an empty SQLite database. It compares the number of their
// entries, and what is in use, at each sample.
func soak(ctx context.Context, driver, dsn string, n int, show func(sample) error) (err error) {
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	d := &database{dialect: dialect.SQLite, pool: pool}
	if err := d.setup(ctx, entaudit.Config{Service: "soak"}); err != nil {
		return err
	}
	c := &churn{client: d.audited.(audited).client}
	var second sample
	for i := 1; i <= samples; i++ {
		for c.done < i*n/samples {
			if err := c.step(ctx); err != nil {
				return fmt.Errorf("mutation %d: %w", c.done, err)
			}
		}
		s, err := c.sample(ctx, d)
		if err != nil {
			return err
		}
		if err := show(s); err != nil {
			return err
		}
		switch i {
		case 2:
			second = s
		case samples:
			return s.grown(second)
		}
	}
	return nil
}

// churn creates, updates and deletes, the same in every run.
type churn struct {
	client  *ent.Client
	live    []int // ids
	done    int   // mutations
	entries int   // that must be in the table
}

// sample measures, checks the number of entries and empties their table.
func (c *churn) sample(ctx context.Context, d *database) (sample, error) {
	n, err := c.client.AuditLog.Query().Count(ctx)
	if err != nil {
		return sample{}, err
	}
	if n != c.entries {
		return sample{}, fmt.Errorf("after %d mutations there are %d entries instead of %d", c.done, n, c.entries)
	}
	s := sample{mutations: c.done, entries: n, connections: d.pool.Stats().OpenConnections}
	c.entries = 0
	if err := d.settle(ctx); err != nil {
		return sample{}, err
	}
	// What a finalizer frees is gone after the second.
	runtime.GC()
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s.heap, s.goroutines = mem.HeapAlloc, runtime.NumGoroutine()
	return s, nil
}

// Rows that churn keeps.
const fewest, most = 50, 150

// step makes one mutation, now and then several in a transaction, each under a context
// of its own, as requests do.
func (c *churn) step(ctx context.Context) error {
	ctx, cancel := context.WithCancel(caller(ctx))
	defer cancel()
	switch {
	case c.done%101 == 0:
		return c.inTx(ctx)
	case len(c.live) < fewest, len(c.live) < most && c.pick(5) < 2:
		return c.create(ctx)
	case len(c.live) >= most, c.pick(3) == 0:
		return c.delete(ctx)
	}
	return c.update(ctx)
}

// pick returns a number below n that depends on what was done.
func (c *churn) pick(n int) int { return int(uint32(c.done) * 2654435761 >> 16 % uint32(n)) } //nolint:gosec // wraps on purpose

func (c *churn) create(ctx context.Context) error {
	v, err := audited{c.client}.of(c.client, c.done).Save(ctx)
	if err != nil {
		return err
	}
	c.live = append(c.live, v.ID)
	c.count(1)
	return nil
}

func (c *churn) update(ctx context.Context) error {
	id := c.live[c.pick(len(c.live))]
	if err := (audited{c.client}).updateOne(ctx, id, c.done); err != nil {
		return err
	}
	c.count(1)
	return nil
}

func (c *churn) delete(ctx context.Context) error {
	id := c.live[0]
	c.live = c.live[:copy(c.live, c.live[1:])]
	n, err := c.client.Invoice.Delete().Where(invoice.ID(id)).Exec(ctx)
	if err == nil && n != 1 {
		err = fmt.Errorf("invoice %d: %d rows deleted", id, n)
	}
	c.count(n)
	return err
}

// inTx updates rows that always stay in a transaction, which every other time is rolled
// back.
func (c *churn) inTx(ctx context.Context) error {
	tx, err := c.client.Tx(ctx)
	if err != nil {
		return err
	}
	n, err := tx.Invoice.Update().Where(invoice.IDLTE(batchTx)).SetQuantity(baseRows + c.done).Save(ctx)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if c.done%2 == 0 {
		c.count(n)
		return tx.Commit()
	}
	c.done++
	return tx.Rollback()
}

// count notes a mutation and its entries.
func (c *churn) count(entries int) {
	c.done++
	c.entries += entries
}
