package smoke_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSnapshot(t *testing.T) {
	text, err := os.ReadFile("ent/internal/schema.go")
	require.NoError(t, err)
	require.Contains(t, string(text), "EntAudit")
}
