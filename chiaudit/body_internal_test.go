package chiaudit

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// Whatever masks a body panics here, since there is nothing that could.
func TestS52MaskingPanics(t *testing.T) {
	t.Parallel()
	h := &handler{}
	for _, m := range []media{{kind: kindJSON}, {kind: kindForm}} {
		data := []byte(`{"password":"hunter2"}`)
		d := h.describe(sample{data: data, size: int64(len(data)), ended: true, kept: true}, true, m, func(string, entaudit.Mark) {})
		require.Equal(t, map[string]any{"size": int64(len(data)), "reason": bodyBroken}, d)
		require.Equal(t, `{"password":"hunter2"}`, string(data))
	}
}
