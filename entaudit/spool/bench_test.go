package spool

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

// callers is how many goroutines append at the same time.
const callers = 64

// concurrently calls f b.N times from so many goroutines.
func concurrently(b *testing.B, f func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkDurable64 is what a durable queue takes, while it delivers.
func BenchmarkDurable64(b *testing.B) {
	sp, err := Open(Config{Dir: filepath.Join(b.TempDir(), "s")})
	require.NoError(b, err)
	discard := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil })
	q, err := queue.New(discard, queue.Config{Spool: sp, Durable: true})
	require.NoError(b, err)
	entry := audittest.Sample(b, 1)
	b.ReportAllocs()
	concurrently(b, func() error { return q.Write(b.Context(), entry) })
	require.NoError(b, q.Close(context.Background()))
}

// BenchmarkBareAppend64 is the least that it can cost: one stream of ready bytes, as long
// as the records, with the same sharing of syncs and nothing else.
func BenchmarkBareAppend64(b *testing.B) {
	var c encoded
	require.NoError(b, c.encode(audittest.Sample(b, 1)))
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	require.NoError(b, err)
	defer func() { require.NoError(b, f.Close()) }()
	requests := make(chan chan error, callers)
	go func() {
		var buf []byte
		var waiting []chan error
		for first := range requests {
			buf, waiting = append(buf[:0], c.records...), append(waiting[:0], first)
			for range len(requests) {
				buf, waiting = append(buf, c.records...), append(waiting, <-requests)
			}
			_, err := f.Write(buf)
			if err == nil {
				err = f.Sync()
			}
			for _, done := range waiting {
				done <- err
			}
		}
	}()
	defer close(requests)
	b.SetBytes(int64(len(c.records)))
	concurrently(b, func() error {
		done := make(chan error, 1)
		requests <- done
		return <-done
	})
}
