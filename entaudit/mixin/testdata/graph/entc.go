//go:build ignore

// Command entc generates the graph of this folder.
package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	err := entc.Generate("./schema", &gen.Config{
		Target:  "./ent",
		Package: "graph/ent",
		Features: []gen.Feature{
			gen.FeatureUpsert, gen.FeatureModifier, gen.FeatureExecQuery, gen.FeatureIntercept,
			gen.FeaturePrivacy, gen.FeatureEntQL, gen.FeatureLock,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}
