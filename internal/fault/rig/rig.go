package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/bench/ent"
	"github.com/entaudit/audit/internal/bench/ent/migrate"
)

// rig is what one fault works with: a cluster, a journal, and processes under test. It
// is made for it and removed afterwards.
type rig struct {
	dir     string
	short   bool
	seed    uint64
	log     io.Writer // what goes on, for people
	cluster *cluster
	journal *journal
	plan    plan
	count   int // of processes started
	running []*process
	tear    []func() error
	kills   int           // random ones of F01
	lasts   time.Duration // of the fault in the long form; zero means two minutes

	recoveredEntries int // that processes found in the spool
}

// database is where everything is in the cluster.
const database = "fault"

// newRig makes a rig in a folder of its own.
func newRig(ctx context.Context, s settings, log io.Writer) (*rig, error) {
	return newRigOn(ctx, s, log, func(*rig, string) error { return nil })
}

// newRigOn has the folder of the cluster prepared before there is anything in it. It
// returns what there is of the rig with an error too.
func newRigOn(ctx context.Context, s settings, log io.Writer, prepare func(r *rig, data string) error) (r *rig, err error) {
	dir, err := os.MkdirTemp("", "entaudit-fault-")
	if err != nil {
		return nil, err
	}
	r = &rig{dir: dir, short: s.short, seed: s.seed, kills: s.kills, log: log}
	if err = os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the cluster's owner has to get through
		return r, err
	}
	if r.journal, err = newJournal(filepath.Join(dir, "journal")); err != nil {
		return r, err
	}
	r.tear = append(r.tear, r.journal.close)
	data, err := r.mkdir("data")
	if err != nil {
		return r, err
	}
	if err := prepare(r, data); err != nil {
		return r, err
	}
	if r.cluster, err = newCluster(ctx, data, filepath.Join(dir, "wal"), filepath.Join(dir, "postgres.log")); err != nil {
		return r, err
	}
	return r, r.open(ctx)
}

func (r *rig) mkdir(name string) (string, error) {
	dir := filepath.Join(r.dir, name)
	return dir, os.Mkdir(dir, 0o700)
}

// open starts the cluster and makes the tables.
func (r *rig) open(ctx context.Context) error {
	if err := r.cluster.start(ctx); err != nil {
		return err
	}
	r.tear = append(r.tear, r.cluster.crash)
	if err := r.cluster.exec(ctx, "postgres", "CREATE DATABASE "+database); err != nil {
		return err
	}
	spool, err := r.mkdir("spool")
	if err != nil {
		return err
	}
	dsn := r.cluster.dsn(database)
	r.plan = plan{
		app: dsn, audit: dsn, delivery: viaQueue, dir: spool, canary: fmt.Sprintf("canary%016x", r.seed),
		conns: 8, capacity: 10_000, timeout: 2 * time.Second, patience: 5 * time.Second, grace: 5 * time.Second,
		shutdown: time.Minute,
	}
	return tables(ctx, dsn)
}

// auditDatabase is where delivered entries go in the cluster where they are separate.
const auditDatabase = "audit"

// separate gives delivered entries a database of their own.
func (r *rig) separate(ctx context.Context) error {
	if err := r.cluster.exec(ctx, "postgres", "CREATE DATABASE "+auditDatabase); err != nil {
		return err
	}
	r.plan.audit = r.cluster.dsn(auditDatabase)
	return tables(ctx, r.plan.audit)
}

// tables makes the tables of the measured graph, with that of entries.
func tables(ctx context.Context, dsn string) (err error) {
	drv, err := entsql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	drv = entsql.OpenDB(dialect.Postgres, drv.DB())
	defer func() { err = errors.Join(err, drv.Close()) }()
	list, err := schema.CopyTables(migrate.Tables)
	if err != nil {
		return err
	}
	err = migrate.Create(ctx, ent.NewClient(ent.Driver(drv)).Schema, list, migrate.WithForeignKeys(true))
	return errors.Join(err, store.MigrateOutbox(ctx, drv))
}

// remove takes everything away again.
func (r *rig) remove() error {
	for _, p := range r.running {
		p.kill()
	}
	var errs []error
	for _, undo := range slices.Backward(r.tear) {
		errs = append(errs, undo())
	}
	return errors.Join(append(errs, os.RemoveAll(r.dir))...)
}

func (r *rig) note(format string, args ...any) {
	fmt.Fprintf(r.log, "    "+format+"\n", args...) //nolint:errcheck // for people who follow what goes on
}

// start starts a process under test with the rig's plan and waits until it works.
func (r *rig) start(ctx context.Context) (*process, error) {
	p, err := r.launch(ctx)
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx)
}

// launch does not wait.
func (r *rig) launch(ctx context.Context, behind ...string) (*process, error) {
	r.count++
	p, err := start(ctx, r.count, r.journal, r.plan, filepath.Join(r.dir, "process.log"), behind...)
	if err == nil {
		r.running = append(r.running, p)
	}
	return p, err
}

// quiet waits until the server has noticed that processes are gone: what they sent last
// may still run.
func (r *rig) quiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := connect(ctx, r.plan.app)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // it only read
	for {
		var n int
		err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&n)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d sessions go on: %w", n, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finish compares everything once all processes have ended and all is delivered.
func (r *rig) finish(ctx context.Context) (*verdict, error) {
	if err := r.quiet(ctx); err != nil {
		return nil, err
	}
	c, err := read(ctx, r.plan.app, r.plan.audit)
	if err != nil {
		return nil, err
	}
	if r.plan.delivery == viaOutbox {
		c.rankByID()
	}
	v := judge(r.journal.all(), c, r.plan.delivery == viaSpool || r.plan.delivery == viaOutbox)
	v.runs = 1
	found, err := search(r.dir, r.plan.canary)
	for _, f := range found {
		v.violate("I8: %s", f)
	}
	if v.ops == 0 {
		v.violate("nothing was done")
	}
	return v, err
}

// drained waits until a process has delivered what it holds, without any help.
func (r *rig) drained(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := p.ask(ctx)
		if err != nil {
			return fmt.Errorf("the backlog of %d does not drain: %w", c.Depth+c.Spooled, err)
		}
		if c.Depth == 0 && c.Spooled == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
