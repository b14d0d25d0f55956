package audittest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
)

// broken are writers that break a rule each, and what the suites say of them. Those of them
// that hang have little time for it.
var broken = map[string]struct {
	rule  string
	says  string
	write func(f *faulty, ctx context.Context, entries []entaudit.Entry) error
}{
	"refuses nothing": {"none", "A batch may be empty", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		if len(entries) == 0 {
			return errors.New("no entries")
		}
		return f.Memory.Write(ctx, entries)
	}},
	"refuses many": {"many", "divides what is too much for one step", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		if len(entries) > 1000 {
			return errors.New("too many")
		}
		return f.Memory.Write(ctx, entries)
	}},
	"refuses duplicates": {"twice", "relies on the ids", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		before := f.Len()
		if err := f.Memory.Write(ctx, entries); err != nil || f.Len()-before == len(entries) {
			return err
		}
		return errors.New("duplicate key")
	}},
	"changes entries": {"shared", "Entries are shared with other writers", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		for i := range entries {
			entries[i].Service = "mine"
		}
		return f.Memory.Write(ctx, entries)
	}},
	"appends to the slice": {"shared", "the slice is the caller's", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		_ = append(entries, entaudit.Entry{Action: "mine"})
		return f.Memory.Write(ctx, entries)
	}},
	"loses a field": {"verbatim", "Every field of an entry arrives", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		var kept []entaudit.Entry
		for _, e := range entries {
			e.Request.UserAgent = ""
			kept = append(kept, e)
		}
		return f.Memory.Write(ctx, kept)
	}},
	"takes first writes only": {"verbatim", "2 entries arrive of", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		if f.Len() > 0 && len(entries) > 1 {
			return nil
		}
		return f.Memory.Write(ctx, entries)
	}},
	"refuses an attack": {"hostile", "an attacker would choose it", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			if strings.Contains(e.Action, "drop table") {
				return errors.New("no")
			}
		}
		return f.Memory.Write(ctx, entries)
	}},
	"refuses what is large": {"large", "takes every finished entry", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			if len(e.Changes) > 0 && len(e.Changes[0].New) > 1<<19 {
				return errors.New("too large")
			}
		}
		return f.Memory.Write(ctx, entries)
	}},
	"takes one at a time": {"concurrent", "called from many goroutines at once", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		defer f.inside.Add(-1)
		if f.inside.Add(1) > 1 {
			return errors.New("busy")
		}
		<-time.After(10 * time.Millisecond)
		return f.Memory.Write(ctx, entries)
	}},
	"is over once cancelled": {"cancelled", "One caller's cancellation is not", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		if ctx.Err() != nil {
			f.inside.Store(1)
		}
		if f.inside.Load() > 0 {
			return errors.New("cancelled")
		}
		return f.Memory.Write(ctx, entries)
	}},
	"hangs once cancelled": {"cancelled", "Write does not return", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		if ctx.Err() != nil {
			select {}
		}
		return f.Memory.Write(ctx, entries)
	}},
	"ignores its context": {"hangs", "has a deadline, or is gone", func(*faulty, context.Context, []entaudit.Entry) error {
		select {}
	}},
	"has stored before it has": {"hangs", "its destination has not answered", func(*faulty, context.Context, []entaudit.Entry) error {
		return nil
	}},
	closesNever: {"hangs in close", "has a deadline, or is gone", func(_ *faulty, ctx context.Context, _ []entaudit.Entry) error {
		<-ctx.Done()
		return ctx.Err()
	}},
	notReady: {"check", "has to be given a writer that is ready", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		return f.Memory.Write(ctx, entries)
	}},
	"changes what it has": {"again", "written several times, an entry arrives as", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		known := f.Entries()
		f.Reset()
		for i := range known {
			known[i].Reason = "again"
		}
		return errors.Join(f.keep(ctx, known), f.keep(ctx, entries))
	}},
	"puts the last first": {"order", "arrive in that order", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		known := f.Entries()
		f.Reset()
		return errors.Join(f.Memory.Write(ctx, entries), f.keep(ctx, known))
	}},
	"leaves something behind": {"goroutines", "a goroutine is left after Close", func(f *faulty, ctx context.Context, entries []entaudit.Entry) error {
		go func() { select {} }()
		return f.Memory.Write(ctx, entries)
	}},
}

// faulty is a writer of the table broken.
type faulty struct {
	audittest.Memory

	name   string
	inside atomic.Int32
}

// Writers that are broken elsewhere than in Write.
const (
	closesNever = "closes never"
	notReady    = "is not ready"
)

func (f *faulty) Write(ctx context.Context, entries []entaudit.Entry) error {
	return broken[f.name].write(f, ctx, entries)
}

// keep writes those of entries that are not there.
func (f *faulty) keep(ctx context.Context, entries []entaudit.Entry) error {
	for _, e := range entries {
		if _, ok, err := f.Get(ctx, e.ID); err != nil || ok {
			continue
		}
		if err := f.Memory.Write(ctx, []entaudit.Entry{e}); err != nil {
			return err
		}
	}
	return nil
}

func (f *faulty) Check(context.Context) error {
	if f.name == notReady {
		return errors.New("no table")
	}
	return nil
}

func (f *faulty) Close(context.Context) error {
	if f.name == closesNever {
		select {}
	}
	return nil
}

func (f *faulty) String() string { return "faulty" }

// lazy keeps the caller's slices until it is closed, and takes entries after that.
type lazy struct {
	audittest.Memory

	mu      sync.Mutex
	waiting [][]entaudit.Entry
	name    string
	closes  int
}

func (l *lazy) Write(_ context.Context, entries []entaudit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, entries)
	return nil
}

func (l *lazy) Close(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entries := range l.waiting {
		if err := l.Memory.Write(ctx, entries); err != nil {
			return err
		}
	}
	if l.closes++; l.closes > 1 {
		return errors.New("closed already")
	}
	return nil
}

func (l *lazy) String() string { return l.name }

// TestBrokenWriter is run by TestSuitesFail, in a process of its own. By itself it runs all
// rules, with a writer that keeps them.
func TestBrokenWriter(t *testing.T) {
	name := os.Getenv("ENTAUDIT_BROKEN")
	open := func() (entaudit.Writer, *audittest.Memory) {
		if name == "" { // a good one
			m := &audittest.Memory{}
			return entaudit.Multi(m), m
		}
		if _, ok := broken[name]; ok {
			w := &faulty{name: name}
			return w, &w.Memory
		}
		w := &lazy{name: name}
		return w, &w.Memory
	}
	audittest.Writer(t, func(*testing.T) entaudit.Writer { w, _ := open(); return w })
	audittest.Delivers(t, func(*testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
		w, m := open()
		return w, func(testing.TB) []entaudit.Entry { return m.Entries() }
	})
	audittest.Hangs(t, func(*testing.T) entaudit.Writer {
		if name == "" {
			return entaudit.Multi(audittest.Hung())
		}
		w, _ := open()
		return w
	})
}

// TestSuitesFail sees each rule of the suites broken.
func TestSuitesFail(t *testing.T) {
	t.Parallel()
	type failure struct{ name, rule, says string }
	want := []failure{
		{"lazy writer", "name", "a short noun"},
		{"lazy", "reuse", "The slice is the caller's again"},
		{"lazy", "close", "is idempotent"},
		{"lazy", "close at once", "safe for concurrent use"},
		{"lazy", "close late", "with an ended context"},
		{"lazy", "closed", "a closed writer takes an entry"},
	}
	for name, b := range broken {
		want = append(want, failure{name, b.rule, b.says})
	}
	t.Run("all of them", func(t *testing.T) {
		t.Parallel()
		out, err := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestBrokenWriter$").CombinedOutput()
		require.NoError(t, err, string(out))
		for _, run := range regexp.MustCompile(`=== RUN +TestBrokenWriter/(.*)`).FindAllStringSubmatch(string(out), -1) {
			require.True(t, slices.ContainsFunc(want, func(f failure) bool { return strings.ReplaceAll(f.rule, " ", "_") == run[1] }),
				"no writer breaks the rule %q", run[1])
		}
	})
	for _, f := range want {
		t.Run(f.rule+"/"+f.name, func(t *testing.T) {
			t.Parallel()
			// A writer that hangs has half of this time.
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=10s", "-test.run=^TestBrokenWriter$/^"+f.rule+"$")
			cmd.Env = append(os.Environ(), "ENTAUDIT_BROKEN="+f.name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, string(out))
			require.Contains(t, string(out), f.says)
		})
	}
}
