package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/ent"
)

// child is the process under test: a program that audits, does what it is told line by
// line and answers each with what it can say of it.
type child struct {
	plan   plan
	client *ent.Client
	rec    *entaudit.Recorder
	line   *line
	router http.Handler
	pools  []*sql.DB

	mu      sync.Mutex
	out     *bufio.Writer
	running sync.WaitGroup
}

// childCommand runs until its input ends, which is no orderly end, or until it is told
// to close, by a line or a signal.
func childCommand(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	var p plan
	if err := parseArgs(&p, args); err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	c := &child{plan: p, out: bufio.NewWriter(out)}
	if err := c.open(); err != nil { //nolint:contextcheck // a delivery outlives whoever makes it
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if p.delivery == viaSpool || p.delivery == viaSpillover {
		c.say("stats %s", c.line.stats()) // what it found, in case that it does not live to say so
	}
	c.say("ready")
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	for {
		select {
		case <-stop:
			return c.close() //nolint:contextcheck // it has a deadline of its own, as a shutdown does
		case text, more := <-lines:
			if !more {
				return nil
			}
			if err := c.obey(ctx, text); err != nil || text == "close" {
				return err
			}
		}
	}
}

// open connects to the databases. That they answer is not needed to start: what is
// spooled must be safe, and entries be taken, while they are down.
func (c *child) open() error {
	app, err := c.pool(c.plan.app)
	if err != nil {
		return err
	}
	audit, err := c.pool(c.plan.audit)
	if err != nil {
		return err
	}
	if c.line, err = c.plan.deliver(app, audit); err != nil {
		return err
	}
	cfg := entaudit.Config{Service: "fault", Writer: c.line.writer, Table: c.line.table, OnError: refused, Grace: c.plan.grace}
	if c.rec, err = entaudit.New(cfg); err != nil {
		return err
	}
	drv := watched{entsql.OpenDB(dialect.Postgres, app)}
	c.client = ent.NewClient(ent.Driver(drv), ent.Auditor(c.rec))
	c.router = c.routes()
	return nil
}

func (c *child) pool(dsn string) (*sql.DB, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(c.plan.conns)
	db.SetMaxIdleConns(c.plan.conns)
	c.pools = append(c.pools, db)
	return db, nil
}

// say writes one line. Whoever reads it may be gone, and then nothing is left to say.
func (c *child) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, format+"\n", args...) //nolint:errcheck // as said above
	_ = c.out.Flush()                        // as said above
}

// obey does what one line says.
func (c *child) obey(ctx context.Context, text string) error {
	switch text {
	case "close":
		return c.close() //nolint:contextcheck // as above
	case "stats":
		c.say("stats %s", c.line.stats())
		return nil
	}
	o, err := parseOp(text)
	if err != nil {
		return err
	}
	c.running.Go(func() { c.answer(ctx, o) })
	return nil
}

// answer does one op and tells how it ended and how long it took.
func (c *child) answer(ctx context.Context, o op) {
	a := &attempt{}
	ctx, cancel := context.WithTimeout(a.in(ctx), c.plan.patience)
	defer cancel()
	began := time.Now()
	err := c.do(ctx, o)
	how, err := a.outcome(o.kind, err, c.line.certain)
	c.say("done %d %s %d %s", o.n, how, time.Since(began).Microseconds(), strings.ReplaceAll(errorCode(err), "\n", " "))
}

// close ends in the order that a service should end in.
func (c *child) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.plan.shutdown)
	defer cancel()
	ended := make(chan struct{})
	go func() { c.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	err := c.rec.Close(ctx)
	if c.line.close != nil {
		err = errors.Join(err, c.line.close(ctx))
	}
	c.say("stats %s", c.line.stats())
	c.say("closed %s", errorCode(err))
	var errs []error
	for _, db := range c.pools {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
