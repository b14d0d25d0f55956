package audittest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// patience bounds calls that must not hang: a minute, or less where the test has less.
func patience(t testing.TB) time.Duration {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, ok := d.Deadline(); ok {
			return min(time.Minute, time.Until(end)/2)
		}
	}
	return time.Minute
}

// Writer checks that the writers made by open keep the contract of
// [entaudit.Writer], as far as it can be told without reading back what was written,
// and without a destination that hangs: see [Delivers] and [Hangs] for that. A failure says which rule is broken and why it matters.
func Writer(t *testing.T, open func(t *testing.T) entaudit.Writer) {
	for _, rule := range []struct {
		name  string
		check func(t *testing.T, w entaudit.Writer)
	}{
		{"none", writesNone},
		{"many", writesMany},
		{"hostile", writesHostile},
		{"large", writesLarge},
		{"twice", writesTwice},
		{"shared", leavesEntriesAlone},
		{"concurrent", writesConcurrently},
		{"cancelled", returnsWhenCancelled},
		{"name", hasName},
		{"check", checksWell},
		{"close", closes},
		{"close at once", closesAtOnce},
		{"close late", closesLate},
		{"closed", refusesWhenClosed},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			rule.check(t, open(t))
		})
	}
	t.Run("goroutines", func(t *testing.T) {
		t.Parallel()
		leavesNoGoroutine(t, open)
	})
}

func writesNone(t *testing.T, w entaudit.Writer) {
	for _, none := range [][]entaudit.Entry{nil, {}} {
		if err := w.Write(t.Context(), none); err != nil {
			t.Errorf("writing no entries fails: %v\nA batch may be empty; that is not an error.", err)
		}
	}
}

func writesMany(t *testing.T, w entaudit.Writer) {
	for _, n := range []int{1, 2, 2500} {
		if err := w.Write(t.Context(), Sample(t, n)); err != nil {
			t.Fatalf("writing %d entries at once fails: %v\nA writer divides what is too much for one step.", n, err)
		}
	}
}

func writesHostile(t *testing.T, w entaudit.Writer) {
	for _, e := range Hostile(t) {
		if err := w.Write(t.Context(), []entaudit.Entry{e}); err != nil {
			t.Errorf("writing the entry of action %q fails: %v\nNo input may make a finished entry fail to be stored: "+
				"an attacker would choose it.", e.Action, err)
		}
	}
}

func writesLarge(t *testing.T, w entaudit.Writer) {
	if err := w.Write(t.Context(), Large(t, 3)); err != nil {
		t.Errorf("writing three large entries at once fails: %v\nA writer takes every finished entry, and "+
			"divides what is too much for one step.", err)
	}
}

func writesTwice(t *testing.T, w entaudit.Writer) {
	entries := Sample(t, 3)
	for range 2 {
		if err := w.Write(t.Context(), entries); err != nil {
			t.Fatalf("writing the same entries again fails: %v\nWhoever does not know whether a write arrived writes again "+
				"and relies on the ids.", err)
		}
	}
	if err := w.Write(t.Context(), append(entries[1:2:2], Sample(t, 2)...)); err != nil {
		t.Errorf("writing a known entry together with new ones fails: %v", err)
	}
}

func leavesEntriesAlone(t *testing.T, w entaudit.Writer) {
	entries := Sample(t, 6)
	before := dump(entries)
	if err := w.Write(t.Context(), entries[:3]); err != nil {
		t.Fatal(err)
	}
	if after := dump(entries); after != before {
		t.Errorf("the writer changed the entries, or what stands behind them in the same array:\n%s\nwant\n%s\n"+
			"Entries are shared with other writers, and the slice is the caller's.", after, before)
	}
}

func writesConcurrently(t *testing.T, w entaudit.Writer) {
	var wg sync.WaitGroup
	shared := Sample(t, 5)
	for range 8 {
		own := Sample(t, 5)
		wg.Go(func() {
			for i := range own {
				err := errors.Join(w.Write(t.Context(), own[i:i+1]), w.Write(t.Context(), shared))
				if err != nil {
					t.Errorf("a concurrent write fails: %v\nWrite is called from many goroutines at once.", err)
				}
			}
		})
	}
	wg.Wait()
}

func returnsWhenCancelled(t *testing.T, w entaudit.Writer) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		done := make(chan error, 1)
		entries := Sample(t, 3)
		go func() { done <- w.Write(ctx, entries) }()
		select {
		case err := <-done:
			_ = err // stored or not, the caller learns it
		case <-time.After(patience(t)):
			t.Fatalf("Write does not return although its context says: %v", ctx.Err())
		}
		if err := w.Write(t.Context(), entries); err != nil {
			t.Errorf("after a cancelled write the same entries cannot be written: %v\nOne caller's cancellation is not "+
				"another's, and a write that may have arrived can be tried again.", err)
		}
	}
}

func hasName(t *testing.T, w entaudit.Writer) {
	if name := entaudit.WriterName(w); name == "" || strings.ContainsAny(name, "*. ") {
		t.Errorf("the writer prints as %q\nString returns a short noun, so that a pipeline prints as queue<store>.", name)
	}
}

func checksWell(t *testing.T, w entaudit.Writer) {
	for range 2 {
		if err := entaudit.CheckWriter(t.Context(), w); err != nil {
			t.Errorf("Check fails: %v\nThe suite has to be given a writer that is ready.", err)
		}
	}
	if err := w.Write(t.Context(), Sample(t, 3)); err != nil {
		t.Fatal(err)
	}
	if err := entaudit.ProbeWriter(t.Context(), w); err != nil {
		t.Errorf("Health fails: %v\nNothing has gone wrong.", err)
	}
}

func closes(t *testing.T, w entaudit.Writer) {
	if err := w.Write(t.Context(), Sample(t, 3)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		shut(t, w)
	}
}

func closesAtOnce(t *testing.T, w entaudit.Writer) {
	if err := w.Write(t.Context(), Sample(t, 3)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { shut(t, w) })
		wg.Go(func() { _ = w.Write(t.Context(), Sample(t, 1)) }) // before or after: both are right
	}
	wg.Wait()
}

// closesLate closes w when there is no time left.
func closesLate(t *testing.T, w entaudit.Writer) {
	c, ok := w.(entaudit.Closer)
	if !ok {
		return
	}
	if err := w.Write(t.Context(), Sample(t, 3)); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	first := c.Close(ended)
	if err := w.Write(t.Context(), Sample(t, 1)); err == nil {
		t.Errorf("after Close with an ended context (%v) the writer takes an entry\nA program that has no time left to "+
			"wait has ended: nobody closes it a second time.", first)
	}
	if second := c.Close(t.Context()); fmt.Sprint(second) != fmt.Sprint(first) {
		t.Errorf("the first Close returns\n%v\nand the second\n%v\nLater calls return the same error.", first, second)
	}
}

func refusesWhenClosed(t *testing.T, w entaudit.Writer) {
	if _, ok := w.(entaudit.Closer); !ok {
		return
	}
	shut(t, w)
	if err := w.Write(t.Context(), Sample(t, 1)); err == nil {
		t.Error("a closed writer takes an entry\nNobody would ever write it: that is an error.")
	}
}

// shut closes w, if it is a [entaudit.Closer].
func shut(t testing.TB, w entaudit.Writer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience(t))
	defer cancel()
	if err := entaudit.CloseWriter(ctx, w); err != nil {
		t.Errorf("Close fails: %v\nIt drains what was accepted, is idempotent, and safe for concurrent use.", err)
	}
}
