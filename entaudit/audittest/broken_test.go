package audittest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
)

// broken are writers that break a rule each, and what the suites say of them.
var broken = map[string]struct {
	rule  string
	says  string
	write func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error
}{
	"refuses nothing": {"none", "A batch may be empty", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		if len(entries) == 0 {
			return errors.New("no entries")
		}
		return m.Write(ctx, entries)
	}},
	"refuses many": {"many", "divides what is too much for one step", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		if len(entries) > 1000 {
			return errors.New("too many")
		}
		return m.Write(ctx, entries)
	}},
	"refuses duplicates": {"twice", "relies on the ids", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		before := m.Len()
		if err := m.Write(ctx, entries); err != nil || m.Len()-before == len(entries) {
			return err
		}
		return errors.New("duplicate key")
	}},
	"changes entries": {"shared", "Entries are shared with other writers", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		for i := range entries {
			entries[i].Service = "mine"
		}
		return m.Write(ctx, entries)
	}},
	"appends to the slice": {"shared", "the slice is the caller's", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		_ = append(entries, entaudit.Entry{Action: "mine"})
		return m.Write(ctx, entries)
	}},
	"loses a field": {"verbatim", "Every field of an entry arrives", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		var kept []entaudit.Entry
		for _, e := range entries {
			e.Request.UserAgent = ""
			kept = append(kept, e)
		}
		return m.Write(ctx, kept)
	}},
	"takes first writes only": {"verbatim", "2 entries arrive of", func(m *audittest.Memory, ctx context.Context, entries []entaudit.Entry) error {
		if m.Len() > 0 && len(entries) > 1 {
			return nil
		}
		return m.Write(ctx, entries)
	}},
}

// faulty is a writer of the table broken.
type faulty struct {
	audittest.Memory

	name string
}

func (f *faulty) Write(ctx context.Context, entries []entaudit.Entry) error {
	return broken[f.name].write(&f.Memory, ctx, entries)
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

// TestBrokenWriter is run by TestSuitesFail, in a process of its own.
func TestBrokenWriter(t *testing.T) {
	name := os.Getenv("ENTAUDIT_BROKEN")
	if name == "" {
		t.Skip("ENTAUDIT_BROKEN is not set: TestSuitesFail runs it")
	}
	open := func() (entaudit.Writer, *audittest.Memory) {
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
}

// TestSuitesFail sees each rule of the suites broken.
func TestSuitesFail(t *testing.T) {
	t.Parallel()
	type failure struct{ name, rule, says string }
	want := []failure{
		{"lazy writer", "name", "a short noun"},
		{"lazy", "reuse", "The slice is the caller's again"},
		{"lazy", "close", "is idempotent"},
		{"lazy", "close late", "with an ended context"},
		{"lazy", "closed", "a closed writer takes an entry"},
	}
	for name, b := range broken {
		want = append(want, failure{name, b.rule, b.says})
	}
	for _, f := range want {
		t.Run(f.rule+"/"+f.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBrokenWriter$/^"+f.rule+"$")
			cmd.Env = append(os.Environ(), "ENTAUDIT_BROKEN="+f.name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, string(out))
			require.Contains(t, string(out), f.says)
		})
	}
}
