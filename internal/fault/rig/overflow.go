package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// maxMemory is what the process under test may take with a queue or a spool that is full.
const maxMemory = 128 << 20

// overflow is F23: entries come ten times as fast as the queue holds them while the
// writer is blocked. What there is no room for is refused and told of; memory stays
// where it is.
func overflow(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.capacity, r.lasts = 2000, 5*time.Minute
	if err := r.separate(ctx); err != nil {
		return nil, err
	}
	v, _, err := r.heldUp(ctx, 0)
	if err == nil && v.dropped == 0 {
		v.violate("the queue was never full")
	}
	return v, err
}

// backlog is F23 with a spool: what comes while the writer is blocked is on disk, far
// more than the process may have in memory.
func backlog(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.delivery, r.plan.ballast = viaSpool, 32<<10
	if err := r.separate(ctx); err != nil {
		return nil, err
	}
	v, waiting, err := r.heldUp(ctx, 200) // more takes long to drain and shows no more
	if err != nil {
		return nil, err
	}
	r.note("at most %d entries in the spool", waiting)
	if waiting*r.plan.ballast < maxMemory {
		v.violate("%d entries in the spool are too few to tell", waiting)
	}
	return v, nil
}

// heldUp has the writer blocked under load, which has a limit for each of its workers. It
// returns too how many entries waited on disk in the end.
func (r *rig) heldUp(ctx context.Context, limit int) (v *verdict, waiting int, err error) {
	var peak int64
	l := load{workers: 64, mix: deliveries, seed: r.seed, limit: limit}
	v, err = r.through(ctx, l, func(ctx context.Context, ph phases, p *process) error {
		// A lock holds up the writer as long as it is held, and fails nothing.
		release, err := r.holdUp(ctx)
		if err != nil {
			return err
		}
		for end := time.Now().Add(ph.during); time.Now().Before(end); pause(ctx, 100*time.Millisecond) {
			n, err := memoryOf(p.cmd.Process.Pid)
			if err != nil {
				return err
			}
			peak = max(peak, n)
		}
		c, err := p.ask(ctx)
		waiting = c.Spooled
		return errors.Join(err, release())
	})
	if err != nil {
		return nil, 0, err
	}
	r.note("at most %d MiB of memory", peak>>20)
	if peak > maxMemory {
		v.violate("I5: %d MiB of memory with %d entries in the spool", peak>>20, waiting)
	}
	v.bounded(r.journal.all(), r.plan.patience)
	return v, waiting, nil
}

// memoryOf returns how much memory a process has in use.
func memoryOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, tail, _ := strings.Cut(string(text), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscan(tail, &kib); err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return kib << 10, nil
}
