package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/pair"
	"github.com/entaudit/audit/internal/bench/request"
)

// ratioSettings are the flags of the command ratio.
type ratioSettings struct {
	pairs   int
	ops     []operation
	server  string
	sync    bool
	trigger bool
	http    bool
}

// ratioCommand prints how long operations and requests take audited, to unaudited.
func ratioCommand(ctx context.Context, args []string, stdout io.Writer, p *progress) error {
	var s ratioSettings
	var dbs, ops string
	flags := newFlags("ratio", p)
	flags.IntVar(&s.pairs, "n", 300, "pairs of each operation and kind of request")
	flags.StringVar(&dbs, "db", "sqlite,postgres,mysql", "databases; none when empty")
	flags.BoolVar(&s.http, "http", true, "compare requests with the bare router too")
	flags.StringVar(&ops, "op", "", "operations; all when empty")
	flags.StringVar(&s.server, "dsn", "", "server of the one database of -db, instead of the usual one")
	flags.BoolVar(&s.sync, "sync", false, "commits wait for the disk (on MySQL the server decides)")
	flags.BoolVar(&s.trigger, "trigger", true, "compare with a row trigger on PostgreSQL")
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
	if s.http {
		ours := []request.Contender{request.Audited("", request.Discard())}
		if err := request.Compare(ctx, ours, s.pairs, stdout, p.w); err != nil {
			return fmt.Errorf("http: %w", err)
		}
	}
	for _, name := range names {
		if err := s.measure(ctx, name, stdout, p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func newFlags(name string, p *progress) *flag.FlagSet {
	flags := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	flags.SetOutput(p.w)
	return flags
}

// databases returns the names of a list; a server's DSN goes with one of them only.
func databases(list, server string) ([]string, error) {
	if list == "" && server == "" {
		return nil, nil
	}
	names := strings.Split(list, ",")
	if server != "" && len(names) != 1 {
		return nil, errors.New("-dsn: name one database with -db")
	}
	return names, nil
}

func (s ratioSettings) measure(ctx context.Context, name string, stdout io.Writer, p *progress) (err error) {
	d, end, err := newDatabase(ctx, name, s.server, s.sync)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	all := []contender{{d.unaudited, d}, {d.audited, d}}
	if name == dialect.Postgres && s.trigger {
		t, end, err := newDatabase(ctx, name, s.server, s.sync)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		if err := t.addTrigger(ctx); err != nil {
			return err
		}
		all = append(all, contender{t.unaudited, t})
	}
	label := name
	if s.sync {
		label += "-sync"
	}
	return compare(ctx, label, s.ops, all, s.pairs, stdout, p)
}

// compare prints the ratios of the operations between an unaudited side, an audited one
// and, where there is a third, one with a trigger.
func compare(ctx context.Context, label string, ops []operation, all []contender, pairs int, stdout io.Writer, p *progress) error {
	ctx = caller(ctx)
	for _, op := range ops {
		took, err := race(ctx, op, all, pairs, func(round int) {
			p.step("%s %s %d/%d", label, op.name, max(round, 0), pairs)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		p.clear()
		results := []struct {
			label       string
			over, under []time.Duration
		}{{label, took[1], took[0]}}
		if len(took) > 2 {
			results = append(results, results[0], results[0])
			results[1].label, results[1].over = label+"-trigger", took[2]
			results[2].label, results[2].under = label+"-vs-trigger", took[2]
		}
		for _, res := range results {
			r := pair.RatioOf(res.over, res.under)
			if _, err := fmt.Fprintf(stdout, "ratio %s %s %.2f\n", res.label, op.name, r.Median); err != nil {
				return err
			}
			p.say("# %s %s: %v to %v, half of all ratios within %.2f and %.2f",
				res.label, op.name, pair.Typical(res.over).Round(time.Microsecond), pair.Typical(res.under).Round(time.Microsecond), r.Low, r.High)
		}
	}
	return nil
}

// newDatabase opens a throw-away database. end closes and drops it.
func newDatabase(ctx context.Context, dialectName, server string, sync bool) (d *database, end func() error, err error) {
	if dialectName == "sqlite" {
		dialectName = dialect.SQLite
	}
	tmp, err := newScratch(ctx, dialectName, server, sync)
	if err != nil {
		return nil, nil, err
	}
	d, err = openDatabase(ctx, tmp.dialect, tmp.driver, tmp.dsn, entaudit.Config{Service: "bench"})
	if err != nil {
		return nil, nil, errors.Join(err, tmp.drop())
	}
	return d, func() error { return errors.Join(d.close(), tmp.drop()) }, nil
}
