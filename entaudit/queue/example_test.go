package queue_test

import (
	"context"
	"fmt"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

func Example() {
	ctx := context.Background()
	slow := entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			fmt.Println(e.Kind, e.Action)
		}
		return nil
	})
	q, err := queue.New(slow, queue.Config{Capacity: 1000})
	if err != nil {
		panic(err)
	}
	rec, err := entaudit.New(entaudit.Config{Writer: q})
	if err != nil {
		panic(err)
	}
	if err := rec.Log(ctx, "invoice.exported", "invoice", "7"); err != nil {
		panic(err)
	}
	if err := rec.Close(ctx); err != nil { // writes what the queue holds
		panic(err)
	}
	fmt.Println(q.Stats().Stored)
	// Output:
	// manual invoice.exported
	// 1
}
