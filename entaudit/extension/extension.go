// Package extension generates audited ent clients. It is used in the program that
// runs ent's code generation and nowhere else:
//
//	//go:build ignore
//
//	package main
//
//	import (
//		"log"
//
//		"entgo.io/ent/entc"
//		"entgo.io/ent/entc/gen"
//		"github.com/entaudit/audit/entaudit/extension"
//	)
//
//	func main() {
//		if err := entc.Generate("./schema", &gen.Config{}, entc.Extensions(extension.New())); err != nil {
//			log.Fatal(err)
//		}
//	}
package extension

import (
	"embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/template"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit"
)

//go:embed template/*.tmpl
var templates embed.FS

// CoverageFile is the name of the file, beside the generated code, that lists how
// each type, field and edge is recorded.
const CoverageFile = "audit_coverage.txt"

// Extension is an entc.Extension. Make it with [New].
type Extension struct {
	entc.DefaultExtension
	gradual   bool
	armed     map[string]bool // types whose mutations may change what is recorded: audited or not
	uncovered bool
}

var _ entc.Extension = (*Extension)(nil)

// Option changes what is generated.
type Option func(*Extension)

// Gradual lets clients without a recorder through: what they change is not recorded,
// and a warning says so once per type. Without it their first mutation of an audited
// type fails.
func Gradual() Option { return func(x *Extension) { x.gradual = true } }

// AllowUncovered turns the failure of generation for schemas that have neither
// entaudit.Mixin nor entaudit.Unaudited into a warning. They are not audited.
func AllowUncovered() Option { return func(x *Extension) { x.uncovered = true } }

// New returns the extension.
func New(opts ...Option) *Extension {
	x := &Extension{}
	for _, opt := range opts {
		opt(x)
	}
	return x
}

// Hooks implements entc.Extension.
func (x *Extension) Hooks() []gen.Hook {
	return []gen.Hook{func(next gen.Generator) gen.Generator {
		return gen.GenerateFunc(func(g *gen.Graph) error {
			if err := x.check(g); err != nil {
				return err
			}
			if err := x.arm(g); err != nil {
				return err
			}
			if err := next.Generate(g); err != nil {
				return err
			}
			if err := takeOver(g); err != nil {
				return err
			}
			text, err := coverage(g)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(g.Target, CoverageFile), text, 0o644); err != nil { //nolint:gosec // generated source, as readable as the rest
				return fmt.Errorf("entaudit: write coverage: %w", err)
			}
			return nil
		})
	}}
}

// Templates implements entc.Extension.
func (x *Extension) Templates() []*gen.Template {
	t := gen.NewTemplate("entaudit").Funcs(template.FuncMap{
		"auditArmed":     func(name string) bool { _, ok := x.armed[name]; return ok },
		"auditIsAudited": func(name string) bool { return x.armed[name] },
		"auditTypes":     describe,
		"auditAudited":   audited,
		"auditWatched":   watched,
		"auditJoins":     describeJoins,
		"auditGradual":   func() bool { return x.gradual },
		"auditRecord":    recordName,
	})
	return []*gen.Template{gen.MustParse(t.ParseFS(templates, "template/*.tmpl"))}
}

// arm notes the types whose builders are generated with what records mutations.
func (x *Extension) arm(g *gen.Graph) error {
	types, err := describe(g)
	if err != nil {
		return err
	}
	x.armed = make(map[string]bool, len(types))
	for _, t := range types {
		if t.Audited || t.Watched {
			x.armed[t.Name] = t.Audited
		}
	}
	return nil
}

// check refuses graphs whose generated code would not compile or would leave
// something unrecorded that nobody decided about.
func (x *Extension) check(g *gen.Graph) error {
	var open []string
	for _, n := range g.MutableNodes() {
		a, err := annotationOf(n.Annotations)
		if err != nil {
			return fmt.Errorf("entaudit: annotations of %s: %w", n.Name, err)
		}
		switch {
		case n.Name == "Auditor" || n.Name == "Audited":
			return fmt.Errorf("entaudit: the schema name %s is taken by the generated %[1]s function: rename the schema "+
				"and keep its table with entsql.Table", n.Name)
		case a.Audited && a.Unaudited != "":
			return fmt.Errorf("entaudit: %s has both entaudit.Mixin and entaudit.Unaudited", n.Name)
		case !a.Audited && a.Unaudited == "":
			open = append(open, n.Name)
		case a.Unaudited == " ":
			return fmt.Errorf("entaudit: %s: entaudit.Unaudited needs a reason", n.Name)
		}
		if err := checkNames(n, a); err != nil {
			return err
		}
		if err := checkID(n, a); err != nil {
			return err
		}
	}
	switch {
	case len(open) == 0:
	case x.uncovered:
		slog.Warn("entaudit: schemas that are not audited", "schemas", open)
	default:
		return fmt.Errorf("entaudit: not decided how to audit: %v: add entaudit.Mixin{} to their Mixin method, "+
			"or entaudit.Unaudited(\"why\") to their Annotations", open)
	}
	return nil
}

// checkNames makes sure that the mixin's settings name fields that exist.
func checkNames(n *gen.Type, a entaudit.Annotation) error {
	has := make(map[string]bool, len(n.Fields))
	for _, f := range n.Fields {
		has[f.Name] = true
	}
	names := append([]string{a.Tenant, a.Label}, a.IgnoreNames...)
	settings := []string{"Tenant", "Label"}
	for i, name := range names {
		setting := "Ignore"
		if i < len(settings) {
			setting = settings[i]
		}
		if name != "" && !has[name] {
			return fmt.Errorf("entaudit: %s: entaudit.Mixin.%s: there is no field %q", n.Name, setting, name)
		}
	}
	return nil
}

// checkID refuses ids that must not appear in entries, which name rows by their id.
func checkID(n *gen.Type, a entaudit.Annotation) error {
	if !a.Audited || !n.HasOneFieldID() {
		return nil
	}
	id, err := annotationOf(n.ID.Annotations)
	if err != nil {
		return fmt.Errorf("entaudit: annotations of %s.%s: %w", n.Name, n.ID.Name, err)
	}
	if id.Sensitive || n.ID.Sensitive() {
		return fmt.Errorf("entaudit: %s: the id is sensitive, and entries name rows by their id: "+
			"give it another id, or entaudit.Unaudited", n.Name)
	}
	return nil
}

// recordName returns the name of the generated Tx method that records an entry.
func recordName(g *gen.Graph) string {
	for _, n := range g.Nodes {
		if n.Name == "Record" {
			return "RecordEntry"
		}
	}
	return "Record"
}
