package smoke_test

import (
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	atlas "ariga.io/atlas/sql/migrate"
)

func TestVersionedMigration(t *testing.T) {
	dir, err := atlas.NewLocalDir(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, open(t).Schema.Diff(t.Context(), schema.WithDir(dir), schema.WithDialect("sqlite3")))
	files, err := dir.Files()
	require.NoError(t, err)
	require.Empty(t, files, "the tables are as the schemas say")
}
