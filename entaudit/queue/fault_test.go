package queue_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

func TestF12CancelledCallersLoseNothing(t *testing.T) {
	t.Parallel()
	bubble(t, "before and after", func(t *testing.T) {
		q, f := setup(t, queue.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, q.Write(ctx, numbered(0, 1)))
		cancel()
		require.NoError(t, q.Write(ctx, numbered(1, 2)), "there was room: nothing had to be waited for")
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 2), actions)
	})
	bubble(t, "while waiting for room", func(t *testing.T) {
		q, f := setup(t, queue.Config{Capacity: 1, Block: time.Hour})
		f.will(hang)
		require.NoError(t, q.Write(t.Context(), numbered(0, 1)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := q.Write(ctx, numbered(1, 2))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, queue.ErrFull, "and it is not there")
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, gaps := f.stored()
		require.Equal(t, names(0, 1), actions)
		require.Len(t, gaps, 1)
	})
}

func TestF18ClockSteps(t *testing.T) {
	t.Parallel()
	bubble(t, "the order is that of arrival, and no age is negative", func(t *testing.T) {
		q, f := setup(t, queue.Config{Spool: &fakeSpool{}, Durable: true, Delay: time.Second})
		entries := numbered(0, 4)
		for i, step := range []time.Duration{time.Hour, -time.Hour, 0, 2 * time.Hour} {
			entries[i].OccurredAt = entries[i].OccurredAt.Add(step)
		}
		f.will(down)
		require.NoError(t, q.Write(t.Context(), entries))
		after(10 * time.Second)
		require.Zero(t, q.Stats().OldestAge)
		f.will(nil)
		require.NoError(t, q.Close(t.Context()))
		actions, _ := f.stored()
		require.Equal(t, names(0, 4), actions)
	})
}

func TestF23Overflow(t *testing.T) {
	t.Parallel()
	for _, policy := range []queue.Policy{queue.Refuse, queue.Block, queue.Drop, queue.Spill} {
		bubble(t, string(policy), func(t *testing.T) {
			cfg := queue.Config{Capacity: 1000, MaxBytes: 1 << 20, OnFull: policy}
			if policy == queue.Block {
				cfg.Block = 50 * time.Millisecond
			}
			if policy == queue.Spill {
				cfg.Spool = &fakeSpool{}
			}
			q, f := setup(t, cfg)
			f.will(hang)
			var wg sync.WaitGroup
			var refused sync.Map
			for w := range 20 { // ten times as much as there is room for
				wg.Go(func() {
					for i := range 500 {
						began := time.Now()
						if err := q.Write(t.Context(), numbered(w*500+i, w*500+i+1)); err != nil {
							require.ErrorIs(t, err, queue.ErrFull)
							refused.Store([2]int{w, i}, true)
						}
						require.LessOrEqual(t, time.Since(began), cfg.Block, "nobody waits longer")
						s := q.Stats()
						require.LessOrEqual(t, s.Depth, cfg.Capacity)
						require.LessOrEqual(t, s.Bytes, cfg.MaxBytes)
					}
				})
			}
			wg.Wait()
			requireBalance(t, q)
			f.will(nil)
			after(time.Minute)
			n := 0
			refused.Range(func(any, any) bool { n++; return true })
			s := q.Stats()
			require.Equal(t, uint64(n), s.Rejected)
			actions, gaps := f.stored()
			require.Equal(t, s.Stored, uint64(len(actions)))
			require.Equal(t, uint64(10_000), s.Stored+s.Dropped+s.Rejected)
			told := 0
			for _, g := range gaps {
				told += g.Metadata["count"].(int)
			}
			require.Equal(t, s.Dropped+s.Rejected, uint64(told), "every one is told of")
			require.NoError(t, q.Close(t.Context()))
		})
	}
}

func TestH14QueueAnswersAsItsPolicySays(t *testing.T) {
	t.Parallel()
	bubble(t, "closed", func(t *testing.T) {
		q, _ := setup(t, queue.Config{})
		require.NoError(t, q.Close(t.Context()))
		require.ErrorIs(t, q.Write(t.Context(), numbered(0, 1)), queue.ErrClosed)
		require.ErrorIs(t, q.Health(t.Context()), queue.ErrClosed)
	})
	for name, write := range map[string]func(context.Context, []entaudit.Entry) error{"hung": hang, "failing": down} {
		bubble(t, name, func(t *testing.T) {
			q, f := setup(t, queue.Config{Capacity: 10, Block: time.Second})
			f.will(write)
			began := time.Now()
			require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
			require.Zero(t, time.Since(began))
			require.ErrorIs(t, q.Write(t.Context(), numbered(10, 11)), queue.ErrFull)
			require.Equal(t, time.Second, time.Since(began))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var left *queue.LeftError
			require.ErrorAs(t, q.Close(ctx), &left)
			require.Equal(t, 10, left.Lost)
			require.LessOrEqual(t, time.Since(began), 2*time.Second)
		})
	}
}

func TestW19WriteOfUnknownOutcomeIsOneEntry(t *testing.T) {
	t.Parallel()
	bubble(t, "stored, and the answer lost", func(t *testing.T) {
		m := &audittest.Memory{}
		n := 0
		q, err := queue.New(entaudit.WriterFunc(func(ctx context.Context, entries []entaudit.Entry) error {
			err := m.Write(ctx, entries)
			if n++; n%2 == 1 {
				err = errors.Join(err, errDown)
			}
			return err
		}), queue.Config{BatchSize: 10})
		require.NoError(t, err)
		require.NoError(t, q.Write(t.Context(), numbered(0, 55)))
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, 55, m.Len())
		require.Equal(t, uint64(55), q.Stats().Stored)
	})
}

func TestW20NothingIsKept(t *testing.T) { // not parallel: it measures the heap
	q, err := queue.New(entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil }), queue.Config{Block: time.Minute})
	require.NoError(t, err)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	entries := numbered(0, 100)
	entries[0].Metadata = map[string]any{"body": string(make([]byte, 10_000))}
	before := heap()
	for range 3000 {
		require.NoError(t, q.Write(t.Context(), entries))
	}
	require.NoError(t, q.Close(t.Context()))
	require.Equal(t, uint64(300_000), q.Stats().Stored)
	require.Less(t, heap(), before+4<<20)
	require.Zero(t, q.Stats().Bytes)
}

// TestNothingIsUnaccountedFor lets everything fail at random.
func TestNothingIsUnaccountedFor(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			cfg := queue.Config{Capacity: 50, BatchSize: 1 + r.IntN(20), Retries: r.IntN(4) - 1, OnDrop: func([]entaudit.Entry, error) {}}
			sp := &fakeSpool{capacity: 200}
			if r.IntN(3) > 0 {
				cfg.Spool, cfg.Durable = sp, r.IntN(2) == 0
			} else if r.IntN(2) == 0 {
				cfg.OnFull = queue.Drop
			}
			dead := &audittest.Memory{}
			if r.IntN(2) == 0 {
				cfg.DeadLetter = dead
			}
			m := &audittest.Memory{}
			var mu sync.Mutex
			state, poison := 0, map[string]bool{}
			q, err := queue.New(entaudit.WriterFunc(func(ctx context.Context, entries []entaudit.Entry) error {
				mu.Lock()
				defer mu.Unlock()
				for _, e := range entries {
					if poison[e.Action] {
						return errRefused
					}
				}
				if state == 0 {
					return m.Write(ctx, entries)
				}
				if state == 2 { // a part is stored and the answer lost
					_ = m.Write(ctx, entries[:len(entries)/2])
				}
				return errDown
			}), cfg)
			require.NoError(t, err)
			accepted := map[string]bool{}
			for i := range 400 {
				e := numbered(i, i+1)
				mu.Lock()
				if r.IntN(20) == 0 {
					state = r.IntN(3)
				}
				poison[e[0].Action] = r.IntN(30) == 0
				mu.Unlock()
				if r.IntN(50) == 0 {
					sp.will(errDown)
				} else if r.IntN(5) == 0 {
					sp.will(nil)
				}
				accepted[e[0].Action] = q.Write(t.Context(), e) == nil
				requireBalance(t, q)
				after(time.Duration(r.IntN(200)) * time.Millisecond)
			}
			mu.Lock()
			state = r.IntN(2)
			mu.Unlock()
			sp.will(nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_ = q.Close(ctx) // what is left is looked at below
			synctest.Wait()
			requireBalance(t, q)
			s := q.Stats()
			require.Zero(t, s.Depth, "seed %d", seed)
			require.Equal(t, int(s.DeadLettered), dead.Len(), "seed %d", seed)
			there := map[string]bool{}
			for _, list := range [][]entaudit.Entry{m.Entries(), dead.Entries(), sp.entries} {
				for _, e := range list {
					there[e.Action] = true
				}
			}
			missing := uint64(0)
			for action, ok := range accepted {
				if ok && !there[action] {
					missing++
				}
			}
			require.LessOrEqual(t, missing, s.Dropped, "seed %d: %+v", seed, s)
			requireOrder(t, m.Entries(), seed)
		})
	}
}

// requireOrder checks that ids rise.
func requireOrder(t *testing.T, entries []entaudit.Entry, seed uint64) {
	t.Helper()
	last := ""
	for _, e := range entries {
		if e.Operation == entaudit.OpGap {
			continue
		}
		require.Greater(t, e.ID.String(), last, "seed %d", seed)
		last = e.ID.String()
	}
}
