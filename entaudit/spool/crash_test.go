package spool

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

var (
	crashSeed  = flag.Uint64("crash.seed", 0, "seed of the random crashes to repeat")
	crashSeeds = flag.Uint64("crash.seeds", 150, "number of random runs that crash")
)

// TestF01F02RandomCrashes has three processes, one after the other, append, put in front, read
// and acknowledge until they are killed, in the middle of a write, or the power fails; or they
// close the spool before. The one behind them finds every entry that was accepted and is not
// acknowledged, once and in order, and nothing that is damaged.
func TestF01F02RandomCrashes(t *testing.T) {
	t.Parallel()
	if *crashSeed != 0 {
		crashes(t, *crashSeed)
		return
	}
	for seed := range *crashSeeds {
		crashes(t, seed+1)
		if t.Failed() {
			return
		}
	}
}

// ledger is what is known of the entries of a spool.
type ledger struct {
	mu    sync.Mutex
	left  map[string]bool // accepted, and not acknowledged
	order [][]string      // what each process had accepted
}

// accept notes entries that the last process has, behind the others or in front.
func (l *ledger) accept(entries []entaudit.Entry, front bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var actions []string
	for _, e := range entries {
		l.left[e.Action] = true
		actions = append(actions, e.Action)
	}
	mine := &l.order[len(l.order)-1]
	if front {
		*mine = slices.Concat(actions, *mine)
	} else {
		*mine = slices.Concat(*mine, actions)
	}
}

func (l *ledger) acknowledge(entries []entaudit.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		delete(l.left, e.Action)
	}
}

func (l *ledger) clone() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &ledger{left: maps.Clone(l.left), order: slices.Clone(l.order)}
}

// crashes is one random run.
func crashes(t *testing.T, seed uint64) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("go test -run %s -crash.seed=%d", t.Name(), seed)
		}
	})
	rng := rand.New(rand.NewPCG(seed, 0))
	cfg := Config{Dir: "x", SegmentBytes: 1000 + rng.Int64N(30_000), MaxBytes: 1 << 20}
	d := newFragile(rng, map[string]*content{})
	books := &ledger{left: map[string]bool{}}
	next := 0
	for range 3 {
		var then *ledger
		d.at, d.killed = rng.IntN(60), rng.IntN(3) == 0
		d.failed = func() { then = books.clone() }
		books.order = append(books.order, nil)
		s, err := open(cfg, d, []int64{0, 2000, 6000}[rng.IntN(3)])
		require.NoError(t, err)
		require.Zero(t, s.Stats().Damaged)
		next = live(t, rng, s, books, next)
		if rng.IntN(3) == 0 {
			require.NoError(t, s.Close(t.Context()))
		}
		d.mu.Lock()
		d.at = -1
		if d.left == nil {
			d.fail()
		}
		d.mu.Unlock()
		require.NoError(t, s.Close(context.Background()))
		d, books = d.left, then
	}
	s, err := open(cfg, d, 0)
	require.NoError(t, err)
	got := drain(t, s)
	position := make(map[string]int)
	for i, action := range got {
		require.NotContains(t, position, action, "it comes twice")
		position[action] = i
	}
	for action := range books.left {
		require.Contains(t, position, action, "it was accepted")
	}
	for _, mine := range books.order {
		mine = slices.DeleteFunc(mine, func(action string) bool { _, ok := position[action]; return !ok })
		require.True(t, slices.IsSortedFunc(mine, func(a, b string) int { return position[a] - position[b] }), "%v of %v", mine, got)
	}
	require.Zero(t, s.Stats().Damaged)
	require.NoError(t, s.Close(t.Context()))
	require.Zero(t, s.Stats().Bytes)
}

// live uses a spool, and returns the number of the next entry.
func live(t *testing.T, rng *rand.Rand, s *Spool, books *ledger, next int) int {
	t.Helper()
	fresh := func(n int) []entaudit.Entry {
		entries := numbered(next, next+n)
		for i := range entries {
			entries[i].Request.Query = strings.Repeat("q", rng.IntN(400))
		}
		next += n
		return entries
	}
	fronts := rng.IntN(3) == 0
	for range 5 + rng.IntN(25) {
		switch n := rng.IntN(10); {
		case n < 5:
			entries := fresh(1 + rng.IntN(30))
			require.NoError(t, s.Append(t.Context(), entries))
			books.accept(entries, false)
		case n < 6 && fronts:
			entries := fresh(1 + rng.IntN(12))
			require.NoError(t, s.Prepend(t.Context(), entries))
			books.accept(entries, true)
		default:
			entries, err := s.Read(t.Context(), 1+rng.IntN(100))
			require.NoError(t, err)
			entries = entries[:rng.IntN(len(entries)+1)]
			books.acknowledge(entries) // before: what is not acknowledged may come again
			require.NoError(t, s.Ack(len(entries)), fmt.Sprint(entries))
		}
	}
	return next
}
