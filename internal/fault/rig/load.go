package main

import (
	"context"
	"math/rand/v2"
	"sync"
)

// load has a process do ops from several workers at once until told to stop.
type load struct {
	workers int
	mix     mix
	seed    uint64
	limit   int // ops of each worker; 0 means no limit
}

// run works until ctx ends, the process is gone, or the limit is reached.
func (l load) run(ctx context.Context, p *process) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for w := range l.workers {
		wg.Go(func() {
			if err := l.work(ctx, p, w); err != nil {
				mu.Lock()
				first = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

// work is one worker, which does one op after the other. It works on rows that it made.
func (l load) work(ctx context.Context, p *process, worker int) error {
	rng := rand.New(rand.NewPCG(l.seed, uint64(p.number)<<16|uint64(worker))) //nolint:gosec // chance, not secrecy; neither is negative
	var rows []int
	for i := 0; ctx.Err() == nil && (l.limit == 0 || i < l.limit); i++ {
		o := op{kind: l.mix.pick(rng, len(rows) > 0)}
		at := 0
		if o.kind == update || o.kind == remove || o.kind == inTx || o.kind == undone {
			at = rng.IntN(len(rows))
			o.target = rows[at]
		}
		r, alive, err := p.do(o, worker)
		if err != nil || !alive {
			return err
		}
		switch {
		case o.kind == remove: // also when it failed: a row is removed by one op only
			rows = append(rows[:at], rows[at+1:]...)
		case (o.kind == create || o.kind == inTx) && r.outcome == ok:
			rows = append(rows, r.n)
		}
	}
	return nil
}
