//go:build ignore

// Command entc generates package ent.
package main

import (
	"log/slog"
	"os"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit/extension"
)

func main() {
	if err := entc.Generate("./schema", &gen.Config{}, entc.Extensions(extension.New())); err != nil {
		slog.Error("generate ent", "error", err)
		os.Exit(1)
	}
}
