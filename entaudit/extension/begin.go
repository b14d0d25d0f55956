package extension

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"entgo.io/ent/entc/gen"
)

// begun is where Tx and BeginTx of ent's client give away the transaction that they have
// begun.
var begun = regexp.MustCompile(`(?m)^\treturn &Tx\{\n\t\tctx: +ctx,\n\t\tconfig: +cfg,$`)

// takeOver has the client take over transactions before anybody else can use or end them.
// ent's templates have no place for that. A driver around the client's own could do it, but
// would hide that one from programs that ask for it by its type, as ent's authors advise
// where the *sql.DB is wanted: c.driver.(*sql.Driver).DB().
func takeOver(g *gen.Graph) error {
	path := filepath.Join(g.Target, "client.go")
	code, err := os.ReadFile(path) //nolint:gosec // what ent has just written
	if err != nil {
		return fmt.Errorf("entaudit: read the generated client: %w", err)
	}
	if n := len(begun.FindAllIndex(code, -1)); n != 2 {
		return fmt.Errorf("entaudit: %s begins transactions in %d places that are known, not in Tx and BeginTx as ent's own does: "+
			"is its template overridden?", path, n)
	}
	code = begun.ReplaceAll(code, []byte("\tauditBegun(&cfg)\n$0"))
	if err := os.WriteFile(path, code, 0o644); err != nil { //nolint:gosec // generated source, as readable as the rest
		return fmt.Errorf("entaudit: write the generated client: %w", err)
	}
	return nil
}
