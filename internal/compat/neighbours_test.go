package compat_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/compat/scratch"
)

// TestCase60Neighbours generates a graph with two extensions that override the same
// template of ent, client/init, and add to everything that can be added to, in each
// order with the audit extension.
func TestCase60Neighbours(t *testing.T) {
	t.Parallel()
	skipOff(t)
	if testing.Short() {
		t.Skip("compiles a generated graph three times")
	}
	m, err := scratch.New(t.Context(), t.TempDir(), "neighbours", "../..", "../..", os.DirFS("testdata/neighbours"))
	require.NoError(t, err)
	smoke := filepath.Join(m.Dir, "smoke_test.go")
	text, err := os.ReadFile(smoke)
	require.NoError(t, err)
	require.NoError(t, os.Remove(smoke)) // it belongs beside each graph
	run(t, m, "go", "build", "-o", "gen", "./generate")
	for _, order := range []string{"first", "mid", "last"} {
		run(t, m, "./gen", order)
		text := strings.ReplaceAll(string(text), `"neighbours/ent`, `"neighbours/`+order+"/ent")
		require.NoError(t, os.WriteFile(filepath.Join(m.Dir, order, "smoke_test.go"), []byte(text), 0o600))
	}
	require.Empty(t, run(t, m, "gofmt", "-l", "first", "mid", "last"))
	run(t, m, "go", "vet", "./...")
	run(t, m, "go", "test", "-vet=off", "./...")
}
