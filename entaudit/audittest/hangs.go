package audittest

import (
	"context"
	"testing"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Hangs checks that the writers made by open, whose destination does not answer, return
// when their context ends. A destination may be another writer, such as [Hung], a
// receiver, or a disk. It complements [Writer].
func Hangs(t *testing.T, open func(t *testing.T) entaudit.Writer) {
	for _, rule := range []struct {
		name  string
		check func(t *testing.T, w entaudit.Writer)
	}{
		{"hangs", returnsFromHanging},
		{"hangs in close", closesHanging},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			rule.check(t, open(t))
		})
	}
}

// Hung returns a destination that does not answer: Write ends with its context.
func Hung() entaudit.Writer {
	return entaudit.WriterFunc(func(ctx context.Context, _ []entaudit.Entry) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

func returnsFromHanging(t *testing.T, w entaudit.Writer) {
	for _, expires := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- w.Write(ctx, Sample(t, 1)) }()
		if !expires {
			cancel() // before or while it writes: both happen
		}
		if err := wait(t, done); err == nil {
			t.Error("Write says that entries are stored, and its destination has not answered")
		}
	}
}

func closesHanging(t *testing.T, w entaudit.Writer) {
	c, ok := w.(entaudit.Closer)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- w.Write(ctx, Sample(t, 1)) }()
	closed := make(chan error, 1)
	go func() { closed <- c.Close(ctx) }()
	_ = wait(t, closed)  // what is left, if anything is
	_ = wait(t, written) // taken or not: it returns
}

// wait returns what a call returned whose context has ended.
func wait(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience(t)):
		t.Fatal("a call does not return although its context has ended\nThe caller has a deadline, or is gone.")
		return nil
	}
}
