// Package entgql_test is a module of its own because entgql depends on much that
// nothing else here needs.
package entgql_test

import (
	"os"
	"path/filepath"
	"testing"

	_ "entgo.io/contrib/entgql"
	_ "github.com/hashicorp/go-multierror" // generated code imports it
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/entaudit/audit/internal/compat/scratch"
)

// TestCase60EntGQL generates a graph with entgql before and behind the audit extension,
// and runs it.
func TestCase60EntGQL(t *testing.T) {
	t.Parallel()
	m, err := scratch.New(t.Context(), t.TempDir(), "graph", "../../..", ".", os.DirFS("graph"))
	require.NoError(t, err)
	smoke, err := os.ReadFile("testdata/smoke_test.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(m.Dir, "smoke_test.go"), smoke, 0o600))
	run := func(program string, args ...string) string {
		t.Helper()
		out, err := m.Run(t.Context(), program, args...)
		require.NoError(t, err)
		return out
	}
	run("go", "build", "-o", "gen", "./generate")
	for _, order := range [][]string{nil, {"audit", "first"}} {
		run("./gen", order...)
		require.Empty(t, run("gofmt", "-l", "ent"))
		run("go", "vet", "./...")
		run("go", "test", "./...")
	}
	served, err := os.ReadFile(filepath.Join(m.Dir, "ent.graphql"))
	require.NoError(t, err)
	require.Contains(t, string(served), "type Todo implements Node")
	require.NotContains(t, string(served), "AuditLog")
}
