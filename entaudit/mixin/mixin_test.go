package mixin_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"entgo.io/ent"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/mixin"
)

var (
	_ ent.Interface = struct{ mixin.AuditLog }{}
	_ ent.Mixin     = mixin.AuditLog{}
)

// TestGraph generates a user's graph that has the schema both embedded and as a
// mixin, in a module of its own, and runs the tests in it.
func TestGraph(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a generated graph")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/graph")))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	mod = bytes.Replace(mod, []byte("module github.com/entaudit/audit"), []byte("module graph"), 1)
	mod = append(mod, "\nrequire github.com/entaudit/audit v0.0.0\nreplace github.com/entaudit/audit => "+root+"\n"...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o600))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))

	for _, args := range [][]string{{"run", "-mod=mod", "entc.go"}, {"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v: %s", args, out)
	}
}

func TestFieldsHaveNoRuntimeCode(t *testing.T) {
	t.Parallel()
	for _, f := range (mixin.AuditLog{}).Fields() {
		d := f.Descriptor()
		require.NoError(t, d.Err)
		require.Nil(t, d.Default, d.Name)
		require.Nil(t, d.UpdateDefault, d.Name)
		require.Empty(t, d.Validators, d.Name)
		require.True(t, d.Immutable, d.Name)
	}
}
