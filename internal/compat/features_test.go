// Package compat_test generates, compiles and runs graphs as users have them: with
// other features of ent, other releases of it, and other extensions.
package compat_test

import (
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/compat/scratch"
)

// envCompat makes the test go through every set of features on every release of ent
// when it is "all". Otherwise it takes a few sets on the release that it is built with,
// and with -short the one that has every feature. "off" skips what runs in processes of
// its own, of which the race detector sees nothing.
const envCompat = "ENTAUDIT_COMPAT"

// few is the number of sets without envCompat.
const few = 3

// releases are those of ent that are supported.
func releases() []string {
	if os.Getenv(envCompat) == "all" {
		return []string{"v0.14.5", "v0.14.6"}
	}
	file, _ := runtime.FuncForPC(reflect.ValueOf(dialect.Debug).Pointer()).FileLine(0)
	return regexp.MustCompile(`(?:ent@)(v[^/]+)/`).FindStringSubmatch(file)[1:]
}

// TestCase70FeatureSets generates one graph with sets of ent's features in which every
// two occur in all combinations, and compiles, vets and runs what comes out.
func TestCase70FeatureSets(t *testing.T) {
	t.Parallel()
	skipOff(t)
	for _, release := range releases() {
		// One after the other: each fills the machine.
		t.Run(release, func(t *testing.T) { featureSets(t, release) })
	}
}

func featureSets(t *testing.T, release string) {
	m, err := scratch.New(t.Context(), t.TempDir(), "compat", "../..", "../..", os.DirFS("testdata/graph"))
	require.NoError(t, err)
	require.NoError(t, m.Require(t.Context(), "entgo.io/ent", release))
	smoke := filepath.Join(m.Dir, "smoke")
	tests := os.DirFS("testdata/graph/smoke")
	require.NoError(t, os.RemoveAll(smoke)) // it belongs beside each graph
	run(t, m, "go", "build", "-o", "gen", "./generate")
	features := strings.Fields(run(t, m, "./gen", "-list"))
	sets := covering(len(features))
	switch {
	case testing.Short():
		sets = sets[:1]
	case os.Getenv(envCompat) != "all":
		sets = sets[:few]
	}
	t.Run("generate", func(t *testing.T) {
		for i, s := range sets {
			name := fmt.Sprintf("set%02d", i)
			var on []string
			for j, f := range features {
				if s[j] {
					on = append(on, f)
				}
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel() // each generator is a process of its own
				t.Log("features:", on)
				generateTwice(t, m, name, on)
				addTests(t, m, tests, name, on)
			})
		}
	})
	t.Run("vet", func(t *testing.T) {
		if os.Getenv(envCompat) == "all" {
			run(t, m, "go", "vet", "./...")
		} else {
			run(t, m, "go", "vet", "./set00/...") // it has all that the others have
		}
	})
	t.Run("run", func(t *testing.T) { run(t, m, "go", "test", "-vet=off", "./...") })
}

// skipOff skips the test where envCompat is "off".
func skipOff(t *testing.T) {
	t.Helper()
	if os.Getenv(envCompat) == "off" {
		t.Skip(envCompat + "=off")
	}
}

func run(t *testing.T, m *scratch.Module, program string, args ...string) string {
	t.Helper()
	out, err := m.Run(t.Context(), program, args...)
	require.NoError(t, err)
	return out
}

// generateTwice generates the graph of a set into a folder, and then again over it.
func generateTwice(t *testing.T, m *scratch.Module, name string, features []string) {
	t.Helper()
	in, err := m.In(name) // generators that run at once would share a folder of ent's otherwise
	require.NoError(t, err)
	var trees [2]map[string]string
	for i := range trees {
		run(t, in, "../gen", "-schema", "../schema", "-target", "ent", "-package", "compat/"+name+"/ent", "-features", strings.Join(features, ","))
		trees[i] = tree(t, filepath.Join(m.Dir, name, "ent"))
	}
	require.Len(t, trees[1], len(trees[0]))
	for file, text := range trees[0] {
		require.True(t, text == trees[1][file], "%s: generating again changes it", file)
		if filepath.Ext(file) == ".go" {
			formatted, err := format.Source([]byte(text))
			require.NoError(t, err, file)
			require.True(t, text == string(formatted), "%s: gofmt changes it", file)
		}
	}
}

// addTests puts the tests that need no more than features beside a graph.
func addTests(t *testing.T, m *scratch.Module, tests fs.FS, name string, features []string) {
	t.Helper()
	files := []string{"smoke_test.go"}
	for _, f := range features {
		files = append(files, path.Base(f)+"_test.go")
	}
	for _, file := range files {
		text, err := fs.ReadFile(tests, file)
		require.NoError(t, err, "a feature of ent without a test: add testdata/graph/smoke/%s", file)
		text = []byte(strings.ReplaceAll(string(text), `"compat/ent`, `"compat/`+name+"/ent"))
		require.NoError(t, os.WriteFile(filepath.Join(m.Dir, name, file), text, 0o600))
	}
}

// tree returns the text of all files below dir by their paths.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		files[strings.TrimPrefix(p, dir)] = string(text)
		return err
	}))
	return files
}
