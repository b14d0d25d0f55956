package hook

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecordKeepsValues(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	values := []any{
		nil, true, false, int64(math.MinInt64), int64(7), uint64(math.MaxUint64), 1.5, math.Inf(-1), float32(2.5),
		"", "text",
		[]byte{},
		[]byte{0, 1},
		at,
	}
	b, err := appendRecord(nil, values)
	require.NoError(t, err)
	got, err := parseRecord(b, len(values))
	require.NoError(t, err)
	require.Equal(t, values, got)
	for i := range b {
		_, err := parseRecord(b[:i], len(values))
		require.Error(t, err, "cut at %d", i)
	}
	_, err = parseRecord(append(b, tagNull), len(values))
	require.ErrorIs(t, err, errRecord)
	_, err = parseRecord([]byte{200, 1}, 1)
	require.ErrorIs(t, err, errRecord)
	_, err = appendRecord(nil, []any{struct{}{}})
	require.ErrorContains(t, err, "struct {}")
}

func FuzzRecord(f *testing.F) {
	seed, err := appendRecord(nil, []any{"a", int64(1), time.Unix(0, 0).UTC(), []byte("b")})
	require.NoError(f, err)
	f.Add(seed, 4)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		values, err := parseRecord(b, min(max(n, 0), 100))
		if err != nil {
			return
		}
		_, err = appendRecord(nil, values)
		require.NoError(t, err)
	})
}
