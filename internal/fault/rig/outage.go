package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// phases are how long a fault is preceded, lasts and is followed by load.
type phases struct{ before, during, after time.Duration }

func (r *rig) phases() phases {
	if r.short {
		return phases{time.Second, 5 * time.Second, time.Second}
	}
	return phases{5 * time.Second, cmp.Or(r.lasts, 2*time.Minute), 10 * time.Second}
}

// through runs load on a process before, during and after a fault, then waits until
// everything is delivered, ends the process and judges.
func (r *rig) through(ctx context.Context, l load, during func(context.Context, phases, *process) error) (*verdict, error) {
	p, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	busy, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- l.run(busy, p) }()
	ph := r.phases()
	pause(ctx, ph.before)
	if err := during(ctx, ph, p); err != nil {
		return nil, err
	}
	pause(ctx, ph.after)
	stop()
	if err := <-worked; err != nil {
		return nil, err
	}
	if err := r.drained(ctx, p); err != nil {
		return nil, err
	}
	if _, err := p.close(ctx); err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	r.reasons()
	return r.finish(ctx)
}

// reasons notes what ops failed with, so that one can see whether the fault was one.
func (r *rig) reasons() {
	why := map[string]int{}
	for _, q := range r.journal.all() {
		if q.outcome != ok && q.kind != undone {
			why[string(q.outcome)+" "+q.why]++
		}
	}
	for _, w := range slices.Sorted(maps.Keys(why)) {
		r.note("%d ops: %s", why[w], w)
	}
}

// outage is F03: the server is stopped for a while. Mutations fail cleanly, entries are
// taken as long as there is room, and told of where there is none.
func outage(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.capacity, r.lasts = 500, 10*time.Minute
	l := load{workers: 4, mix: everything, seed: r.seed}
	return r.through(ctx, l, func(ctx context.Context, ph phases, _ *process) error {
		if err := r.cluster.crash(); err != nil {
			return err
		}
		r.note("the server is down for %v", ph.during)
		pause(ctx, ph.during)
		return r.cluster.start(ctx)
	})
}

// restarts is F04: the server crashes every other second.
func restarts(ctx context.Context, r *rig) (*verdict, error) {
	r.lasts = 3 * time.Minute
	l := load{workers: 8, mix: everything, seed: r.seed}
	return r.through(ctx, l, func(ctx context.Context, ph phases, _ *process) error {
		n := 0
		for end := time.Now().Add(ph.during); time.Now().Before(end); n++ {
			if err := r.cluster.crash(); err != nil {
				return err
			}
			if err := r.cluster.start(ctx); err != nil {
				return err
			}
			pause(ctx, 2*time.Second)
		}
		r.note("the server crashed %d times", n)
		return nil
	})
}

// relayRestarts is F04 with an outbox: the application's database and the audit database
// crash, between which entries are moved.
func relayRestarts(ctx context.Context, r *rig) (*verdict, error) {
	if err := r.outbox(ctx); err != nil {
		return nil, err
	}
	return restarts(ctx, r)
}

// outbox has all entries go through an outbox to a database of their own.
func (r *rig) outbox(ctx context.Context) error {
	r.plan.delivery = viaOutbox
	return r.separate(ctx)
}

// freeze is F05: the server hangs. It accepts connections and answers nothing, which no
// error tells. Whoever records an entry does not wait for it.
func freeze(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.capacity = 2000
	frozen := 4 * r.plan.patience
	l := load{workers: 8, mix: everything, seed: r.seed}
	v, err := r.through(ctx, l, func(ctx context.Context, _ phases, _ *process) error {
		if err := r.cluster.freeze(); err != nil {
			return err
		}
		r.note("the server hangs for %v", frozen)
		pause(ctx, frozen)
		return r.cluster.thaw()
	})
	if err != nil {
		return nil, err
	}
	v.bounded(r.journal.all(), frozen/2)
	return v, nil
}

// bounded is I5: no op took as long as waiting for the fault to end would have.
func (v *verdict) bounded(records []*record, limit time.Duration) {
	for _, r := range records {
		if r.kind.delivered() && r.took > limit {
			v.violate("I5: op %d (%s) waited %v for its entry", r.n, r.kind, r.took)
		}
	}
}
