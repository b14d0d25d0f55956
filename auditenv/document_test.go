package auditenv_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
)

var update = flag.Bool("update", false, "rewrite the table of variables")

func TestVariablesAreDocumented(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../docs/configuration.md", "<!-- variables -->\n", "<!-- end -->"
	var table strings.Builder
	fmt.Fprint(&table, "| variable | type | default | meaning |\n|---|---|---|---|\n")
	for _, v := range auditenv.Variables() {
		if v.Secret {
			v.Type += ", secret"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", v.Name, v.Type, v.Default, v.Doc)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	old, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o600))
		return
	}
	require.Equal(t, table.String(), old, "run go test ./auditenv -update")
}
