// Command generate writes a graph with entgql and the audit extension side by side.
package main

import (
	"fmt"
	"os"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	if err := generate(len(os.Args) > 1); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate writes the graph. Extensions run in the order in which they are given.
func generate(auditFirst bool) error {
	gql, err := entgql.NewExtension(
		entgql.WithSchemaGenerator(),
		entgql.WithSchemaPath("./ent.graphql"),
		entgql.WithWhereInputs(true),
		entgql.WithNodeDescriptor(true),
	)
	if err != nil {
		return err
	}
	both := []entc.Extension{gql, extension.New()}
	if auditFirst {
		both[0], both[1] = both[1], both[0]
	}
	return entc.Generate("./schema", &gen.Config{Target: "./ent", Package: "graph/ent"},
		entc.FeatureNames("namedges", "sql/upsert"), entc.Extensions(both...))
}
