// Command generate writes the graph of package schema with the features that it is
// told, as a program of a user's does.
package main

import (
	"flag"
	"fmt"
	"log"
	"strings"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	target := flag.String("target", "", "folder to write to")
	pkg := flag.String("package", "", "import path of that folder")
	schema := flag.String("schema", "./schema", "folder of the schemas")
	features := flag.String("features", "", "names of ent's features, with commas")
	list := flag.Bool("list", false, "only print the names of ent's features")
	flag.Parse()
	if *list {
		for _, f := range gen.AllFeatures {
			fmt.Println(f.Name)
		}
		return
	}
	names := strings.FieldsFunc(*features, func(r rune) bool { return r == ',' })
	err := entc.Generate(*schema, &gen.Config{Target: *target, Package: *pkg},
		entc.FeatureNames(names...), entc.Extensions(extension.New()))
	if err != nil {
		log.Fatal(err)
	}
}
