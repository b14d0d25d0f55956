package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
)

// callers is how many goroutines record at the same time.
const callers = 64

// nowhere is a store that costs nothing.
func nowhere(context.Context, []entaudit.Entry) error { return nil }

// each calls f with each entry, from several goroutines.
func each(load []entaudit.Entry, callers int, f func(entry []entaudit.Entry) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	for range callers {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(len(load)) {
					return
				}
				if err := f(load[i-1 : i : i]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// enqueue compares what a caller waits for until the queue has an entry with a channel of
// entries, which something empties.
func enqueue(_ context.Context, load []entaudit.Entry) (*twoWays, error) {
	//nolint:contextcheck // a queue has a context of its own until it is closed
	q, err := queue.New(entaudit.WriterFunc(nowhere), queue.Config{Capacity: 2 * len(load), MaxBytes: 1 << 30})
	if err != nil {
		return nil, err
	}
	bare := make(chan entaudit.Entry, 2*len(load))
	go func() {
		for range bare {
		}
	}()
	return &twoWays{
		ours: func(ctx context.Context) error {
			return each(load, 1, func(entry []entaudit.Entry) error { return q.Write(ctx, entry) })
		},
		raw: func(context.Context) error {
			return each(load, 1, func(entry []entaudit.Entry) error { bare <- entry[0]; return nil })
		},
		reset: func(context.Context) error { return until(func() bool { return q.Stats().Depth+len(bare) == 0 }) },
		close: func(ctx context.Context) error { close(bare); return q.Close(ctx) },
	}, nil
}

// until waits for something that takes less than a second.
func until(done func() bool) error {
	for range 1000 {
		if done() {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("the queue does not become empty")
}

// acceptDurable compares what 64 callers get accepted on disk, while it is delivered, with
// one stream of as many bytes, whose callers share the calls of fsync too.
func acceptDurable(ctx context.Context, load []entaudit.Entry) (ways *twoWays, err error) {
	dir, err := os.MkdirTemp("", "entaudit-bench-")
	if err != nil {
		return nil, err
	}
	record, err := recordLength(ctx, filepath.Join(dir, "length"), load)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	sp, err := spool.Open(spool.Config{Dir: filepath.Join(dir, "spool")})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	//nolint:contextcheck // a queue has a context of its own until it is closed
	q, err := queue.New(entaudit.WriterFunc(nowhere), queue.Config{Spool: sp, Durable: true})
	if err != nil {
		return nil, errors.Join(err, sp.Close(ctx), os.RemoveAll(dir))
	}
	bare, err := newStream(filepath.Join(dir, "bare"), record)
	if err != nil {
		return nil, errors.Join(err, q.Close(ctx), os.RemoveAll(dir))
	}
	return &twoWays{
		ours: func(ctx context.Context) error {
			return each(load, callers, func(entry []entaudit.Entry) error { return q.Write(ctx, entry) })
		},
		raw: func(context.Context) error {
			return each(load, callers, func([]entaudit.Entry) error { return bare.append() })
		},
		reset: func(context.Context) error { return until(func() bool { return q.Stats().Spooled == 0 }) },
		close: func(ctx context.Context) error { return errors.Join(q.Close(ctx), bare.close(), os.RemoveAll(dir)) },
	}, nil
}

// recordLength returns how many bytes of disk an entry takes in a spool.
func recordLength(ctx context.Context, dir string, load []entaudit.Entry) (n int, err error) {
	sp, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, sp.Close(ctx)) }()
	if err := sp.Append(ctx, load); err != nil {
		return 0, err
	}
	return int(sp.Stats().Bytes) / len(load), nil
}

// stream is the least that accepting on disk can be: a file that ready bytes are added to,
// as many at once as there are callers, and one fsync for all of them.
type stream struct {
	file     *os.File
	requests chan chan error
	ended    chan struct{}
}

func newStream(name string, record int) (*stream, error) {
	f, err := os.Create(name) //nolint:gosec // in a folder of our own
	if err != nil {
		return nil, err
	}
	s := &stream{file: f, requests: make(chan chan error, callers), ended: make(chan struct{})}
	go s.run(make([]byte, callers*record), record)
	return s, nil
}

func (s *stream) run(ready []byte, record int) {
	defer close(s.ended)
	var waiting []chan error
	for first := range s.requests {
		waiting = append(waiting[:0], first)
		for range min(len(s.requests), callers-1) {
			waiting = append(waiting, <-s.requests)
		}
		_, err := s.file.Write(ready[:len(waiting)*record])
		if err == nil {
			err = s.file.Sync()
		}
		for _, done := range waiting {
			done <- err
		}
	}
}

func (s *stream) append() error {
	done := make(chan error, 1)
	s.requests <- done
	return <-done
}

func (s *stream) close() error {
	close(s.requests)
	<-s.ended
	return s.file.Close()
}
