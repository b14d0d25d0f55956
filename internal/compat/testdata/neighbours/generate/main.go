// Command generate writes a graph with two extensions beside the audit extension. They
// override one of ent's templates, both the same, and use all its extension points.
package main

import (
	"log"
	"os"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/extension"
)

// neighbour is an extension as others write them.
type neighbour struct {
	entc.DefaultExtension
	name string
	deps []entc.Option
}

// Templates of the extension.
func (n neighbour) Templates() []*gen.Template {
	text, err := os.ReadFile("generate/" + n.name + ".tmpl")
	if err != nil {
		log.Fatal(err)
	}
	return []*gen.Template{gen.MustParse(gen.NewTemplate(n.name).Parse(string(text)))}
}

// Options of the extension.
func (n neighbour) Options() []entc.Option { return n.deps }

// Hooks of the extension.
func (n neighbour) Hooks() []gen.Hook {
	return []gen.Hook{func(next gen.Generator) gen.Generator {
		return gen.GenerateFunc(func(g *gen.Graph) error { return next.Generate(g) })
	}}
}

func main() {
	// A dependency of a type of ours makes ent import its package.
	dep := entc.Dependency(entc.DependencyName("Rec"), entc.DependencyType(&entaudit.Recorder{}))
	left, right := neighbour{name: "left", deps: []entc.Option{dep}}, neighbour{name: "right"}
	orders := map[string][]entc.Extension{
		"first": {extension.New(), left, right},
		"mid":   {left, extension.New(), right},
		"last":  {left, right, extension.New()},
	}
	order := os.Args[1]
	err := entc.Generate("./schema", &gen.Config{Target: order + "/ent", Package: "neighbours/" + order + "/ent"},
		entc.FeatureNames("sql/modifier", "sql/upsert"), entc.Extensions(orders[order]...))
	if err != nil {
		log.Fatal(err)
	}
}
