package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/pair"
)

// network is the round-trip time that one run of the command wire adds.
const network = time.Millisecond

// wireSettings are the flags of the command wire.
type wireSettings struct {
	pairs  int
	ops    []operation
	server string
}

// wireCommand prints how many round trips operations take and, on PostgreSQL, how long
// they take over a network.
func wireCommand(ctx context.Context, args []string, stdout io.Writer, p *progress) error {
	var s wireSettings
	var dbs, ops string
	flags := newFlags("wire", p)
	flags.IntVar(&s.pairs, "n", 60, "pairs of each operation over the network")
	flags.StringVar(&dbs, "db", "postgres,mysql", "databases")
	flags.StringVar(&ops, "op", "", "operations; all when empty")
	flags.StringVar(&s.server, "dsn", "", "server of the one database of -db, instead of the usual one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if s.ops, err = chosen(ops); err != nil {
		return err
	}
	names, err := databases(dbs, s.server)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.count(ctx, name, stdout, p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if slices.Contains(names, dialect.Postgres) && s.pairs > 0 {
		return s.overNetwork(ctx, stdout, p)
	}
	return nil
}

// count prints the round trips of the operations.
func (s wireSettings) count(ctx context.Context, name string, stdout io.Writer, p *progress) (err error) {
	d, wire, end, err := newRemote(ctx, name, s.server, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	ctx = caller(ctx)
	for _, op := range s.ops {
		p.step("%s %s", name, op.name)
		var trips [2]int64
		for i, side := range []side{d.unaudited, d.audited} {
			if trips[i], err = tripsOf(ctx, contender{side, d}, op, i, wire); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
		}
		p.clear()
		if _, err := fmt.Fprintf(stdout, "roundtrips %s %s %d %d\n", name, op.name, trips[0], trips[1]); err != nil {
			return err
		}
	}
	return nil
}

// tripsOf returns the round trips of an operation whose statements the connection knows
// already: the median of several runs, since a server may answer a part of what it was
// sent before the rest of it has arrived. at keeps the sides apart: what one has
// changed already the other would not change.
func tripsOf(ctx context.Context, c contender, op operation, at int, wire *proxy) (int64, error) {
	const first, runs = 3, 9
	var trips []int64
	counted := op
	counted.run = func(ctx context.Context, s side, n int) error {
		before := wire.trips.Load()
		err := op.run(ctx, s, n)
		trips = append(trips, wire.trips.Load()-before)
		return err
	}
	for n := range first + runs {
		if _, err := c.time(ctx, counted, (2*n+at)*batch); err != nil {
			return 0, err
		}
	}
	trips = trips[first:]
	slices.Sort(trips)
	return trips[len(trips)/2], nil
}

// overNetwork prints the ratios of the operations with a longer way to the server.
func (s wireSettings) overNetwork(ctx context.Context, stdout io.Writer, p *progress) (err error) {
	d, _, end, err := newRemote(ctx, dialect.Postgres, s.server, network)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	var pings []time.Duration
	for range 50 {
		start := time.Now()
		if err := d.pool.PingContext(ctx); err != nil {
			return err
		}
		pings = append(pings, time.Since(start))
	}
	p.say("# postgres-1ms: one round trip takes %v", pair.Typical(pings).Round(time.Microsecond))
	all := []contender{{d.unaudited, d}, {d.audited, d}}
	return compare(ctx, "postgres-1ms", s.ops, all, s.pairs, stdout, p)
}

// newRemote opens a throw-away database behind a proxy.
func newRemote(ctx context.Context, name, server string, delay time.Duration) (d *database, wire *proxy, end func() error, err error) {
	tmp, err := newScratch(ctx, name, server, false)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.drop())
		}
	}()
	addr, err := tmp.addr()
	if err != nil {
		return nil, nil, nil, err
	}
	if wire, err = newProxy(ctx, addr, delay); err != nil {
		return nil, nil, nil, err
	}
	far, err := tmp.through(wire.addr())
	if err == nil {
		d, err = openDatabase(ctx, far.dialect, far.driver, far.dsn, entaudit.Config{Service: "bench"})
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, wire.close())
	}
	return d, wire, func() error { return errors.Join(d.close(), wire.close(), tmp.drop()) }, nil
}
