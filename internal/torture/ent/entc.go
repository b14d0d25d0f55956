//go:build ignore

package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	features := entc.FeatureNames("privacy", "intercept", "sql/modifier", "sql/upsert", "sql/execquery", "sql/lock")
	if err := entc.Generate("./schema", &gen.Config{}, features, entc.Extensions(extension.New())); err != nil {
		log.Fatal(err)
	}
}
