package extension

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
	"github.com/stretchr/testify/require"
)

// tree returns the text of all files below dir by their paths.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(text)
		return err
	})
	require.NoError(t, err)
	return files
}

// TestCase70GenerationIsStable generates twice from the same schemas. Like all tests that
// generate it is not parallel: ent keeps its templates in package variables.
func TestCase70GenerationIsStable(t *testing.T) {
	var trees []map[string]string
	for range 2 {
		g := newGraph(t, New(), nil, complete()...)
		require.NoError(t, g.Gen())
		trees = append(trees, tree(t, g.Target))
	}
	requireSameTree(t, trees[0], trees[1])
}

// requireSameTree shows no more than the first line that differs.
func requireSameTree(t *testing.T, want, got map[string]string) {
	t.Helper()
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for path := range want {
		w, g := strings.Split(want[path], "\n"), strings.Split(got[path], "\n")
		for i := range min(len(w), len(g)) {
			require.Equal(t, w[i], g[i], "%s:%d", path, i+1)
		}
		require.Len(t, g, len(w), path)
	}
}

// TestCase70RegenerationChangesNothing fails where go generate would rewrite files. It compares the graph of the capture tests with
// what is generated from its schemas now.
func TestCase70RegenerationChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator, which compiles the schemas")
	}
	const committed = "../../internal/torture/ent"
	want := tree(t, committed)
	before, after, _ := strings.Cut(want["runtime/runtime.go"], "\nconst (\n\tVersion = \"")
	version, _, _ := strings.Cut(after, `"`)
	if file, _ := runtime.FuncForPC(reflect.ValueOf(entc.Generate).Pointer()).FileLine(0); !strings.Contains(file, "ent@"+version+"/") {
		t.Skipf("the committed code is of ent %s, this is %s", version, file)
	}
	want["runtime/runtime.go"] = before // the version is not known to a test
	target := t.TempDir()
	err := entc.Generate(committed+"/schema", &gen.Config{
		Target: target, Package: "github.com/entaudit/audit/internal/torture/ent",
	}, entc.FeatureNames("privacy", "intercept", "sql/modifier", "sql/upsert", "sql/execquery", "sql/lock"), entc.Extensions(New()))
	require.NoError(t, err)
	maps.DeleteFunc(want, func(path, _ string) bool {
		return strings.HasPrefix(path, "schema/") || path == "entc.go" || path == "generate.go"
	})
	got := tree(t, target)
	requireSameTree(t, want, got)
}
