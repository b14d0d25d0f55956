package entaudit_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestMemo(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	type key struct{ schema string }
	var wg sync.WaitGroup
	got := make([]any, 50)
	for i := range got {
		wg.Go(func() { got[i] = rec.Memo(key{"user"}, func() any { return new(int) }) })
	}
	wg.Wait()
	for _, v := range got {
		require.Same(t, got[0], v)
	}
	require.NotSame(t, got[0], rec.Memo(key{"pet"}, func() any { return new(int) }))

	other, _ := setup(t, entaudit.Config{})
	require.NotSame(t, got[0], other.Memo(key{"user"}, func() any { return new(int) }), "recorders share what they keep")
}
