package audittest

import (
	"bytes"
	"context"
	"reflect"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// leavesNoGoroutine checks that what open starts, and what that starts, has ended after
// Close. Goroutines inherit labels, which tell them from those of other tests; those
// outside of the writer's own package, of databases and servers, are not its to end.
func leavesNoGoroutine(t *testing.T, open func(t *testing.T) entaudit.Writer) {
	labelled := pprof.WithLabels(t.Context(), pprof.Labels("audittest", t.Name()))
	pprof.SetGoroutineLabels(labelled)
	w := open(t)
	if err := w.Write(t.Context(), Sample(t, 3)); err != nil {
		t.Error(err)
	}
	shut(t, w)
	pprof.SetGoroutineLabels(context.Background())
	for end := time.Now().Add(patience(t)); ; time.Sleep(time.Millisecond) { // one may be about to end
		left := goroutines(t.Name(), packageOf(w))
		if left == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("a goroutine is left after Close:\n%s\nWhat is closed has ended.", left)
		}
	}
}

// packageOf returns the path of the package that w is declared in.
func packageOf(w entaudit.Writer) string {
	typ := reflect.TypeOf(w)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ.PkgPath()
}

// goroutines returns a stack that is in a package, of a goroutine with that label.
func goroutines(label, pkg string) string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return err.Error()
	}
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, `"audittest":"`+label+`"`) && strings.Contains(stack, "\t"+pkg+".") {
			return stack
		}
	}
	return ""
}
