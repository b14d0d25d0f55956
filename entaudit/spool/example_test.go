package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
)

// A process ends while the writer is away. The next one delivers what it has accepted.
func Example() {
	parent, err := os.MkdirTemp("", "example") // in production a folder that outlives the process
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(parent) }() // it is a temporary folder
	start := func(w entaudit.WriterFunc) *queue.Queue {
		sp, err := spool.Open(spool.Config{Dir: filepath.Join(parent, "spool")})
		if err != nil {
			panic(err)
		}
		q, err := queue.New(w, queue.Config{Spool: sp, Durable: true}) // which closes the spool
		if err != nil {
			panic(err)
		}
		return q
	}
	ctx := context.Background()

	away := start(func(context.Context, []entaudit.Entry) error { return errors.New("away") })
	rec, err := entaudit.New(entaudit.Config{Writer: away})
	if err != nil {
		panic(err)
	}
	if err := rec.Log(ctx, "invoice.exported", "invoice", "7"); err != nil { // nil: it is on disk
		panic(err)
	}
	late, cancel := context.WithCancel(ctx)
	cancel() // no time is left to wait for the writer
	var left *queue.LeftError
	if err := rec.Close(late); errors.As(err, &left) {
		fmt.Println("left on disk:", left.Spooled, "lost:", left.Lost)
	}

	back := start(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			fmt.Println(e.Kind, e.Action)
		}
		return nil
	})
	if err := back.Close(ctx); err != nil {
		panic(err)
	}
	fmt.Println("stored:", back.Stats().Stored)
	// Output:
	// left on disk: 1 lost: 0
	// manual invoice.exported
	// stored: 1
}
