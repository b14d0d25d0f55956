package audit_test

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module   = "github.com/entaudit/audit"
	maxLines = 400
)

// source is one Go file of this module.
type source struct {
	path, dir string // relative to the module's root, with slashes
	lines     int
	generated bool
	test      bool
	program   bool // excluded from builds by the tag ignore
	imports   []string
	fset      *token.FileSet
	file      *ast.File
}

// ours returns the folders of the packages of this module that s imports.
func (s source) ours() []string {
	var dirs []string
	for _, imp := range s.imports {
		if imp == module {
			dirs = append(dirs, ".")
		} else if dir, ok := strings.CutPrefix(imp, module+"/"); ok {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

var parseModule = sync.OnceValues(func() ([]source, error) {
	var files []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(p)
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		f, err := parseFile(filepath.ToSlash(p))
		files = append(files, f)
		return err
	})
	return files, err
})

// skipDir skips what the go command does not take for packages of this module.
func skipDir(p string) error {
	name := filepath.Base(p)
	if p == "." {
		return nil
	}
	if name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_' {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func parseFile(p string) (source, error) {
	text, err := os.ReadFile(p)
	if err != nil {
		return source{}, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, p, text, parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	s := source{
		path: p, dir: path.Dir(p), lines: bytes.Count(text, []byte("\n")),
		generated: ast.IsGenerated(file), test: strings.HasSuffix(p, "_test.go"),
		fset: fset, file: file,
	}
	for _, imp := range file.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return source{}, err
		}
		s.imports = append(s.imports, name)
	}
	for _, g := range file.Comments {
		for _, c := range g.List {
			if c.Pos() > file.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				return source{}, err
			}
			s.program = !expr.Eval(func(tag string) bool { return tag != "ignore" })
		}
	}
	return s, nil
}

func sources(t *testing.T) []source {
	t.Helper()
	files, err := parseModule()
	require.NoError(t, err)
	require.Greater(t, len(files), 15, "the module's files were not found")
	return files
}

// grabBags are package names that say nothing about what is inside.
var grabBags = []string{"util", "utils", "common", "helper", "helpers", "types", "model", "models", "misc", "shared"}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		name := strings.TrimSuffix(f.file.Name.Name, "_test")
		assert.NotContainsf(t, grabBags, name, "%s: the package name %q says nothing about what is inside", f.path, name)
		assert.NotContainsf(t, grabBags, path.Base(f.dir), "%s: the folder name says nothing about what is inside", f.path)
	}
}

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if !f.generated {
			assert.LessOrEqualf(t, f.lines, maxLines, "%s is too long: split it by noun", f.path)
		}
	}
}

func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.generated {
			continue
		}
		for _, d := range f.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			assert.Falsef(t, ok && fn.Recv == nil && fn.Name.Name == "init", "%s: has an init function", f.path)
		}
	}
}

var (
	unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	withReason = regexp.MustCompile(`\b(TODO|FIXME|XXX)(\([^)]+\))?: \S+ \S+`)
)

func TestUnfinishedWorkHasAReason(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.generated {
			continue
		}
		for _, g := range f.file.Comments {
			for _, c := range g.List {
				for i, line := range strings.Split(c.Text, "\n") {
					if unfinished.MatchString(line) && !withReason.MatchString(line) {
						assert.Failf(t, "no reason", "%s:%d: %s", f.path, f.fset.Position(c.Pos()).Line+i, strings.TrimSpace(line))
					}
				}
			}
		}
	}
}

// TestDroppedResultsHaveAReason: a comment on the same line, or right above.
func TestDroppedResultsHaveAReason(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.generated || f.test {
			continue
		}
		comments := make(map[int]int) // line and column
		for _, g := range f.file.Comments {
			for _, c := range g.List {
				at := f.fset.Position(c.Pos())
				comments[at.Line] = at.Column
			}
		}
		ast.Inspect(f.file, func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || a.Tok != token.ASSIGN || slices.ContainsFunc(a.Lhs, func(e ast.Expr) bool { return !blank(e) }) {
				return true
			}
			at := f.fset.Position(a.Pos())
			said := comments[at.Line] != 0 || comments[at.Line-1] == at.Column
			assert.Truef(t, said, "%s:%d: handle it, or say why it may be dropped", f.path, at.Line)
			return true
		})
	}
}

func blank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// caseNumber finds the numbers of docs/cases.md in names: Case07, S40, H01, F22.
var caseNumber = regexp.MustCompile(`(?:^|[^A-Z])((?:Case|[FSHWT])\d\d)(?:[^0-9]|$)`)

func TestCasesAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/cases.md")
	require.NoError(t, err)
	var described []string
	for _, row := range regexp.MustCompile(`(?m)^\| ((?:Case|[FSHWT])\d\d) \|`).FindAllStringSubmatch(string(text), -1) {
		assert.NotContains(t, described, row[1], "docs/cases.md describes it twice")
		described = append(described, row[1])
	}
	for _, f := range sources(t) {
		for _, name := range testNames(f) {
			for _, n := range caseNumbers(name) {
				assert.Containsf(t, described, n, "%s: %q is not described in docs/cases.md", f.path, name)
			}
		}
	}
}

func TestCaseNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"TestCase07AddsUp", []string{"Case07"}},
		{"TestCase39And62Panics", []string{"Case39"}},
		{"TestCase39Case62Panics", []string{"Case39", "Case62"}},
		{"Case42/postgres", []string{"Case42"}},
		{"TestNames_S40", []string{"S40"}},
		{"S40 kelvin sign", []string{"S40"}},
		{"TestS40H06", []string{"S40", "H06"}},
		{"TestF22DeadLetters", []string{"F22"}},
		{"TestSHA256", nil},
		{"HS256", nil},
		{"TestRFC4180", nil},
		{"UTF16", nil},
		{"T7", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, caseNumbers(tt.name))
		})
	}
}

func caseNumbers(name string) []string {
	var numbers []string
	for {
		m := caseNumber.FindStringSubmatchIndex(name)
		if m == nil {
			return numbers
		}
		numbers = append(numbers, name[m[2]:m[3]])
		name = name[m[3]-1:] // its last digit may stand in front of the next number
	}
}

// testNames returns the names of the tests of f and, as far as they are
// written out, of their subtests: the first argument of Run, the key name of
// a table, and the first value of an unkeyed row.
func testNames(f source) []string {
	if f.generated {
		return nil
	}
	var names []string
	text := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				names = append(names, s)
			}
		}
	}
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			prefix := func(p string) bool { return strings.HasPrefix(n.Name.Name, p) }
			if f.test && slices.ContainsFunc([]string{"Test", "Fuzz", "Benchmark", "Example"}, prefix) {
				names = append(names, n.Name.Name)
			}
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Run" && len(n.Args) > 0 {
				text(n.Args[0])
			}
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok && id.Name == "name" {
				text(n.Value)
			}
		case *ast.CompositeLit:
			if f.test && len(n.Elts) > 1 {
				text(n.Elts[0])
			}
		}
		return true
	})
	return names
}
