package refusal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWait(t *testing.T) {
	t.Parallel()
	const first, most = 100 * time.Millisecond, time.Second
	for failures, full := range []time.Duration{first, 2 * first, 4 * first, 8 * first, most, most} {
		for range 100 {
			d := Wait(first, most, failures, 0)
			require.GreaterOrEqual(t, d, full/2)
			require.LessOrEqual(t, d, full)
		}
	}
	require.LessOrEqual(t, Wait(first, most, -1, 0), first)
	require.Equal(t, time.Minute, Wait(first, most, 3, time.Minute))
	require.Equal(t, time.Hour, Wait(first, most, 3, 1000*time.Hour))
}
