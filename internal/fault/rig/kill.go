package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"time"
)

// pathCalls are the system calls that an entry's way through the spool is made of.
func pathCalls() []string {
	return []string{"openat", "mkdirat", "flock", "pwrite64", "fsync", "ftruncate", "renameat", "unlinkat", "pread64"}
}

// Every entry's way is walked with so few that each call of it can be the last.
const (
	walked       = 12      // and four times as many where there is time
	smallSegment = 4 << 10 // so that files are begun and deleted on the way
	eachCall     = 60      // from here on about every twentieth
	maxCalls     = 1000
)

// killedAtCalls is F01: the process is killed at each system call of the spool, and
// started again each time. What it had accepted is stored in the end.
func killedAtCalls(ctx context.Context, r *rig) (*verdict, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return nil, fmt.Errorf("%w: strace is not installed", errSkip)
	}
	r.plan.delivery = viaSpool
	runs, err := r.killAtCalls(ctx)
	if err != nil {
		return nil, err
	}
	return r.recovered(ctx, runs)
}

// killedAtRandom is F01 at random moments, with mutations under way too.
func killedAtRandom(ctx context.Context, r *rig) (*verdict, error) {
	r.plan.delivery = viaSpool
	runs, err := r.killAtRandom(ctx, r.kills)
	if err != nil {
		return nil, err
	}
	return r.recovered(ctx, runs)
}

// killedRelays is F01 with an outbox: relays are killed too, while others run.
func killedRelays(ctx context.Context, r *rig) (*verdict, error) {
	if err := r.outbox(ctx); err != nil {
		return nil, err
	}
	beside, err := r.start(ctx) // its relay takes turns with that of each process that is killed
	if err != nil {
		return nil, err
	}
	runs, err := r.killAtRandom(ctx, r.kills/4)
	if err != nil {
		return nil, err
	}
	if err := r.drained(ctx, beside); err != nil {
		return nil, err
	}
	if _, err := beside.close(ctx); err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	return r.recovered(ctx, runs)
}

// recovered starts a last process, which has to deliver what all others left.
func (r *rig) recovered(ctx context.Context, runs int) (*verdict, error) {
	p, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.drained(ctx, p); err != nil {
		return nil, err
	}
	last, err := p.close(ctx)
	if err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	r.tally(last)
	v, err := r.finish(ctx)
	if err != nil {
		return nil, err
	}
	v.runs, v.spooled = runs, r.recoveredEntries
	return v, nil
}

// killAtCalls kills at the first call of each kind in a thread, then at the second, until
// a process comes to its end.
func (r *rig) killAtCalls(ctx context.Context) (runs int, err error) {
	segment := r.plan.segment
	defer func() { r.plan.segment = segment }()
	r.plan.segment = smallSegment
	for _, call := range pathCalls() {
		n, step := 1, 1
		for ; n <= maxCalls; n += step {
			inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
			reached, err := r.walk(ctx, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", inject)
			if err != nil {
				return runs, fmt.Errorf("%s: %w", inject, err)
			}
			if !reached {
				break
			}
			runs++
			switch {
			case r.short:
				step = 1 + 4*n
			case n >= eachCall:
				step = n / 20
			}
		}
		r.note("killed at %s, up to the %d. call", call, n-step)
	}
	return runs, nil
}

// walked is how many entries a process accepts that is killed or fails on the way.
func (r *rig) walked() int {
	if r.short {
		return walked
	}
	return 4 * walked
}

// walk has a process under strace accept some entries and close. It reports whether the
// process ended by itself before.
func (r *rig) walk(ctx context.Context, behind ...string) (reached bool, err error) {
	p, err := r.launch(ctx, behind...)
	if err != nil {
		return false, err
	}
	if err := p.await(ctx); err != nil {
		return ctx.Err() == nil, ctx.Err() // it was killed while it began
	}
	if err := (load{workers: 2, mix: deliveries, seed: r.seed, limit: r.walked() / 2}).run(ctx, p); err != nil {
		return false, err
	}
	last, err := p.close(ctx)
	r.tally(last)
	return err != nil, ctx.Err()
}

// tally adds up how many entries processes found in the spool.
func (r *rig) tally(last counts) { r.recoveredEntries += int(last.Recovered) } //nolint:gosec // small

// killAtRandom kills after a random time under load.
func (r *rig) killAtRandom(ctx context.Context, kills int) (runs int, err error) {
	if r.short {
		kills = min(kills, 25)
	}
	rng := rand.New(rand.NewPCG(r.seed, 1)) //nolint:gosec // chance, not secrecy
	for ; runs < kills; runs++ {
		p, err := r.launch(ctx)
		if err != nil {
			return runs, err
		}
		busy, stop := context.WithCancel(ctx)
		worked := make(chan error, 1)
		go func() {
			if err := p.await(busy); err != nil {
				worked <- nil // it was killed while it began, which is as good a moment
				return
			}
			worked <- load{workers: 8, mix: everything, seed: r.seed}.run(busy, p)
		}()
		select {
		case <-p.ready:
		case <-p.gone:
			stop()
			return runs, fmt.Errorf("process %d ended by itself: %w", p.number, p.err)
		}
		pause(ctx, time.Duration(rng.IntN(400_000))*time.Microsecond)
		p.kill()
		stop()
		if err := errors.Join(<-worked, ctx.Err()); err != nil {
			return runs, err
		}
		r.tally(p.last)
	}
	r.note("%d kills at random", runs)
	return runs, nil
}
