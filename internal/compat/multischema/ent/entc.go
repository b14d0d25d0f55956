//go:build ignore

package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	features := entc.FeatureNames("sql/schemaconfig", "sql/upsert", "sql/modifier")
	if err := entc.Generate("./schema", &gen.Config{}, features, entc.Extensions(extension.New())); err != nil {
		log.Fatal(err)
	}
}
