package hook

import (
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// TestTransactionThatBeganElsewhere: what a program's own code in the generated package
// makes of ent's types does not tell when it ends, so nothing is recorded in it.
func TestTransactionThatBeganElsewhere(t *testing.T) {
	t.Parallel()
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	drv := sql.NewDriver(dialect.SQLite, sql.Conn{})
	g := NewGraph(Graph{Tx: func(dialect.Driver) dialect.Tx { return dialect.NopTx(drv) }})
	require.ErrorIs(t, Record(t.Context(), rec, g, drv, entaudit.Entry{Action: "a"}), errNotBegun)
	in := &Intent{rec: rec, graph: g}
	_, err = in.arm(drv, g, &skipScope{}).Tx(t.Context())
	require.ErrorIs(t, err, errNotBegun)
	Raw(t.Context(), rec, g, drv) // says nothing

	g = NewGraph(Graph{Tx: func(dialect.Driver) dialect.Tx { return nil }})
	require.ErrorContains(t, Record(t.Context(), rec, g, drv, entaudit.Entry{Action: "a"}), "not a transaction of this client")
}
