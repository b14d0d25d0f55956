package audit_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// arrows lists, for each package, the packages of this module that it may
// import. "..." stands for any, and a line that ends in "/..." holds for a
// whole generated graph. A package without a line fails.
const arrows = `
.:
entaudit:
entaudit/audittest:       entaudit
entaudit/extension:       entaudit
entaudit/hook:            entaudit entaudit/txdriver entaudit/internal/table
entaudit/internal/quiet:
entaudit/internal/refusal: entaudit
entaudit/internal/table:  entaudit
entaudit/jsonl:           entaudit
entaudit/mixin:           entaudit
entaudit/outbox:          entaudit entaudit/store entaudit/internal/refusal entaudit/internal/table
entaudit/queue:           entaudit entaudit/internal/quiet entaudit/internal/refusal
entaudit/spool:           entaudit entaudit/internal/quiet entaudit/queue
entaudit/store:           entaudit ent entaudit/internal/table
entaudit/txdriver:
entaudit/webhook:         entaudit
entaudit/wrap:            entaudit
chiaudit:                 entaudit
auditenv:                 entaudit entaudit/jsonl entaudit/outbox entaudit/queue entaudit/spool entaudit/store entaudit/webhook chiaudit
ent/schema:               entaudit/mixin
ent/...:                  ent/... entaudit entaudit/mixin
cmd/entaudit:             ...
internal/bench/...:       ...
internal/compat/...:      ...
internal/fault:
internal/fault/red:
internal/fault/rig:       ...
internal/testapp/...:     ...
internal/oracle:
internal/testdb:
internal/torture/...:     ...
`

// testArrows are what test files may import besides the packages on their
// package's line, their own package and what is internal to it.
var testArrows = []string{"entaudit/audittest", "internal/fault", "internal/testdb"}

// allowed returns the line of the package in folder dir: the exact one, else
// that of the innermost graph around it.
func allowed(dir string) (imports []string, ok bool) {
	lines := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(arrows)) {
		name, list, _ := strings.Cut(line, ":")
		lines[name] = list
	}
	if list, ok := lines[dir]; ok {
		return strings.Fields(list), true
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if list, ok := lines[d+"/..."]; ok {
			return strings.Fields(list), true
		}
	}
	return nil, false
}

func matches(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if base, ok := strings.CutSuffix(p, "..."); ok {
			return strings.HasPrefix(dir+"/", base)
		}
		return p == dir
	})
}

func TestImportArrows(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		may, ok := allowed(f.dir)
		if !assert.Truef(t, ok, "%s: package %s has no line in deps_test.go", f.path, f.dir) {
			continue
		}
		if f.program {
			continue // go run it; nothing links it
		}
		for _, to := range f.ours() {
			if f.test && (matches(testArrows, to) || matches([]string{f.dir, f.dir + "/internal/..."}, to)) {
				continue
			}
			assert.Truef(t, matches(may, to), "%s: %s must not import %s (deps_test.go)", f.path, f.dir, to)
		}
	}
}

func TestOnlyTestsImportTestDatabases(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test || f.program || strings.HasPrefix(f.dir, "internal/") || f.dir == "entaudit/audittest" {
			continue
		}
		for _, to := range append(testArrows, "internal/testapp") {
			assert.NotContains(t, f.ours(), to, f.path)
		}
	}
}

func TestOnlyTheExtensionImportsTheGenerator(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.program || f.dir == "entaudit/extension" || strings.HasPrefix(f.dir, "entaudit/extension/") {
			continue
		}
		for _, imp := range f.imports {
			generator := imp == "entgo.io/ent/entc" || strings.HasPrefix(imp, "entgo.io/ent/entc/") || imp == module+"/entaudit/extension"
			assert.Falsef(t, generator, "%s imports %s: the generator belongs to build time", f.path, imp)
		}
	}
}
