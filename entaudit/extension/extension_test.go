package extension

import (
	"bytes"
	"flag"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/entc/gen"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		rename  map[string]string
		schemas []ent.Interface
		want    string // empty where generation goes on
	}{
		{"complete", nil, append(complete(), Shown{}), ""},
		{"not decided", nil, append(complete(), Lone{}, Stray{}), "not decided how to audit: [Lone Stray]: add entaudit.Mixin{}"},
		{"both", nil, []ent.Interface{Both{}}, "Both has both entaudit.Mixin and entaudit.Unaudited"},
		{"no reason", nil, []ent.Interface{Silent{}}, "Silent: entaudit.Unaudited needs a reason"},
		{"Tenant", nil, []ent.Interface{Named{mixin: entaudit.Mixin{Tenant: "org"}}}, `Named: entaudit.Mixin.Tenant: there is no field "org"`},
		{"Label", nil, []ent.Interface{Named{mixin: entaudit.Mixin{Label: "title"}}}, `Named: entaudit.Mixin.Label: there is no field "title"`},
		{
			"Ignore", nil,
			[]ent.Interface{Named{mixin: entaudit.Mixin{Ignore: []string{"name", "other"}}}},
			`Named: entaudit.Mixin.Ignore: there is no field "other"`,
		},
		{"all names", nil, []ent.Interface{Named{mixin: entaudit.Mixin{Tenant: "name", Label: "name", Ignore: []string{"name"}}}}, ""},
		{"Auditor", map[string]string{"Named": "Auditor"}, []ent.Interface{Named{}}, "the schema name Auditor is taken"},
		{"Audited", map[string]string{"Owner": "Audited"}, []ent.Interface{Owner{}}, "the schema name Audited is taken"},
		{"Case44 sensitive id", nil, []ent.Interface{Session{}}, "Session: the id is sensitive"},
		{"Case44 annotated id", nil, []ent.Interface{Marked{}}, "Marked: the id is sensitive"},
		{"Record", map[string]string{"Named": "Record"}, []ent.Interface{Named{}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := New()
			g := newGraph(t, x, tt.rename, tt.schemas...)
			err := x.check(g)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "entaudit: ")
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, g.Gen(), tt.want)
			left, err := os.ReadDir(g.Target)
			require.NoError(t, err)
			require.Empty(t, left, "nothing is written")
		})
	}
}

// TestAllowUncovered is not parallel: it listens to the default logger.
func TestAllowUncovered(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	x := New(AllowUncovered())
	g := newGraph(t, x, nil, append(complete(), Lone{})...)
	require.NoError(t, x.check(g))
	require.Contains(t, out.String(), "level=WARN")
	require.Contains(t, out.String(), "[Lone]")
	text, err := coverage(g)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^Lone +NOT DECIDED$`, string(text))

	// What is wrong rather than undecided stays an error.
	require.Error(t, x.check(newGraph(t, x, nil, Both{})))
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	g := newGraph(t, New(), nil, append(complete(), Shown{})...)
	text, err := coverage(g)
	require.NoError(t, err)
	golden(t, "coverage.txt", text)
}

// TestDescriptors compares the code that is generated for small graphs.
func TestDescriptors(t *testing.T) {
	tests := []struct {
		name    string
		x       *Extension
		rename  map[string]string
		schemas []ent.Interface
	}{
		{"complete", New(), nil, complete()},
		{"gradual", New(Gradual()), nil, []ent.Interface{Named{}}},
		{"record", New(), map[string]string{"Named": "Record"}, []ent.Interface{Named{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGraph(t, tt.x, tt.rename, tt.schemas...)
			require.NoError(t, g.Gen())
			code, err := os.ReadFile(filepath.Join(g.Target, "entaudit.go"))
			require.NoError(t, err)
			golden(t, tt.name+".go.txt", code)
			text, err := coverage(g)
			require.NoError(t, err)
			written, err := os.ReadFile(filepath.Join(g.Target, CoverageFile))
			require.NoError(t, err)
			require.Equal(t, string(text), string(written))
			requireGo(t, g.Target)
		})
	}
}

// TestClientThatEntDoesNotWrite: a template of somebody else's may begin transactions in
// ways that are not known here, and what is recorded in them could be lost.
func TestClientThatEntDoesNotWrite(t *testing.T) {
	g := newGraph(t, New(), nil, Named{})
	require.NoError(t, g.Gen())
	client := filepath.Join(g.Target, "client.go")
	code, err := os.ReadFile(client)
	require.NoError(t, err)
	require.Equal(t, 2, bytes.Count(code, []byte("\tauditBegun(&cfg)\n\treturn &Tx{\n")))

	other := gen.MustParse(gen.NewTemplate("other").Parse(`{{ define "dialect/sql/txoptions" }}
// BeginTx is not ent's.
func (c *Client) BeginTx(context.Context, *sql.TxOptions) (*Tx, error) { return nil, nil }
{{ end }}`))
	g = newGraph(t, New(), nil, Named{})
	g.Templates = append(g.Templates, other)
	require.ErrorContains(t, g.Gen(), "is its template overridden?")
	require.ErrorContains(t, takeOver(&gen.Graph{Config: &gen.Config{Target: t.TempDir()}}), "read the generated client")
}

// golden compares text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(text), "go test -update rewrites %s", path)
}

// requireGo asserts that all Go files below dir parse.
func requireGo(t *testing.T, dir string) {
	t.Helper()
	for path := range tree(t, dir) {
		if filepath.Ext(path) == ".go" {
			_, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, path), nil, parser.AllErrors)
			require.NoError(t, err)
		}
	}
}
