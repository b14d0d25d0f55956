//go:build ignore

package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	if err := entc.Generate("./schema", &gen.Config{}, entc.FeatureNames("sql/upsert"), entc.Extensions(extension.New())); err != nil {
		log.Fatal(err)
	}
}
