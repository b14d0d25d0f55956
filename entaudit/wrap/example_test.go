package wrap_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/wrap"
)

// Denials go to a second place too, which may be slow or down.
func Example() {
	all, pager, spare := &audittest.Memory{}, entaudit.WriterFunc(nil), &audittest.Memory{}
	pager = func(context.Context, []entaudit.Entry) error { return errors.New("pager is down") }

	denied := func(e *entaudit.Entry) bool { return e.Outcome == entaudit.Denied }
	w := entaudit.Multi(all, wrap.Filter(wrap.Fallback(wrap.Timeout(pager, time.Second), spare), denied))
	rec, err := entaudit.New(entaudit.Config{Writer: w})
	if err != nil {
		panic(err)
	}
	for _, outcome := range []entaudit.Outcome{entaudit.Success, entaudit.Denied} {
		if err := rec.Log(context.Background(), "invoice.pay", "invoice", "7", entaudit.Ended(outcome)); err != nil {
			panic(err)
		}
	}
	fmt.Println(rec)
	fmt.Println(all.Len(), spare.Len(), rec.Health(context.Background()) != nil)
	// Output:
	// recorder<multi<memory,filter<fallback<timeout<entaudit.WriterFunc>,memory>>>>
	// 2 1 true
}
