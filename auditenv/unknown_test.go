package auditenv_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
)

func TestUnknownVariablesWarn(t *testing.T) {
	t.Parallel()
	s, err := auditenv.Load([]string{
		"AUDIT_SERVCE=x", "AUDIT_PORT=tcp://10.0.0.1:80", "AUDIT_PORT_80_TCP_ADDR=10.0.0.1", "audit_service=x", "AUDIT_JWT_SECRETT=hunter2", "AUDIT_" + strings.Repeat("A", 1<<16) + "=1",
	})
	require.NoError(t, err)
	require.Len(t, s.Warnings, 6)
	text := strings.Join(s.Warnings, "\n")
	for _, want := range []string{
		`"AUDIT_SERVCE" is not a variable; AUDIT_SERVICE is`, `"AUDIT_JWT_SECRETT" is not a variable; AUDIT_JWT_SECRET is`,
		`"audit_service" is not a variable; AUDIT_SERVICE is`, `"AUDIT_PORT_80_TCP_ADDR" is not a variable`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "hunter2")
	require.Less(t, len(text), 1000)
	require.NotContains(t, s.String(), "hunter2", "a misspelt secret is one too")
}
