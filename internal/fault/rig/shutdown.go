package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// shutdowns is F24: the process is told to end with a backlog that cannot be written,
// and killed when its deadline is over: before it has closed, while it does, and after.
// Nothing that it had accepted is lost: it is in the spool.
func shutdowns(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.delivery = viaSpillover
	if err := r.separate(ctx); err != nil {
		return nil, err
	}
	backlog := 100_000
	if r.short {
		backlog = 1_500
	}
	r.plan.capacity = 2 * backlog
	for _, e := range []ending{
		{away: true, close: 2 * time.Second, kill: time.Minute},
		{away: true, close: time.Minute, kill: 5 * time.Second},
		{close: time.Minute, kill: time.Minute},
	} {
		if err := r.shutdown(ctx, backlog/3, e); err != nil {
			return nil, err
		}
	}
	return r.recovered(ctx, 3)
}

// ending is how a process is ended: whether its writer is held up meanwhile, how long it
// may take, and when it is killed if it has not ended.
type ending struct {
	away        bool
	close, kill time.Duration
}

// shutdown fills a process while its writer is held up, and ends it.
func (r *rig) shutdown(ctx context.Context, backlog int, e ending) (err error) {
	r.plan.shutdown = e.close
	p, err := r.start(ctx)
	if err != nil {
		return err
	}
	release, err := r.holdUp(ctx)
	if err != nil {
		return err
	}
	const workers = 32
	if err := (load{workers: workers, mix: deliveries, seed: r.seed, limit: backlog / workers}).run(ctx, p); err != nil {
		return errors.Join(err, release())
	}
	c, err := p.ask(ctx)
	if err != nil {
		return errors.Join(err, release())
	}
	if !e.away {
		if err := release(); err != nil {
			return err
		}
		release = func() error { return nil }
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, release())
	}
	select {
	case <-p.gone:
	case <-time.After(e.kill):
		p.kill()
	}
	r.note("%d entries in memory; told to end within %v, killed after %v: %d stored and %d in the spool", c.Depth, e.close, e.kill, p.last.Stored, p.last.Spooled)
	return release()
}

// holdUp has every writer of the audit database wait until it is released.
func (r *rig) holdUp(ctx context.Context) (release func() error, err error) {
	conn, err := connect(ctx, r.plan.audit)
	if err != nil {
		return nil, err
	}
	tx, err := conn.Begin(ctx)
	if err == nil {
		_, err = tx.Exec(ctx, "LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return func() error { return errors.Join(tx.Rollback(ctx), conn.Close(ctx)) }, nil
}

// orphans is F25: processes share the folder of the spool. One is killed with entries in
// it, and two others that start at the same time find them. Each is taken over once.
func orphans(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.delivery = viaSpool
	if err := r.separate(ctx); err != nil {
		return nil, err
	}
	rounds := 20
	if r.short {
		rounds = 3
	}
	for range rounds {
		if err := r.orphan(ctx); err != nil {
			return nil, err
		}
	}
	return r.recovered(ctx, rounds)
}

func (r *rig) orphan(ctx context.Context) error {
	p, err := r.start(ctx)
	if err != nil {
		return err
	}
	release, err := r.holdUp(ctx)
	if err != nil {
		return err
	}
	if err := (load{workers: 4, mix: deliveries, seed: r.seed, limit: 25}).run(ctx, p); err != nil {
		return errors.Join(err, release())
	}
	p.kill()
	if err := release(); err != nil {
		return err
	}
	var heirs []*process
	for range 2 {
		h, err := r.launch(ctx)
		if err != nil {
			return err
		}
		heirs = append(heirs, h)
	}
	for _, h := range heirs {
		if err := h.await(ctx); err != nil {
			return err
		}
		if err := (load{workers: 1, mix: deliveries, seed: r.seed, limit: 5}).run(ctx, h); err != nil {
			return err
		}
		if err := r.drained(ctx, h); err != nil {
			return err
		}
	}
	total := 0
	for _, h := range heirs {
		c, err := h.close(ctx)
		if err != nil {
			return fmt.Errorf("close: %w", err)
		}
		r.tally(c)
		total += int(c.Recovered) //nolint:gosec // small
	}
	if total < 100 {
		return fmt.Errorf("the heirs found %d entries of 100", total)
	}
	return nil
}
