package store

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestFirstID(t *testing.T) {
	t.Parallel()
	for range 1000 {
		now := time.Now()
		id := uuid.Must(uuid.NewV7())
		require.LessOrEqual(t, firstID(now).String(), id.String())
		require.Greater(t, firstID(now.Add(leeway)).String(), id.String())
	}
	require.Equal(t, uuid.Nil, firstID(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Equal(t, uuid.Nil, firstID(time.Time{}))
}

func FuzzCursor(f *testing.F) {
	filter := Filter{TenantID: "acme"}
	id := uuid.MustParse("019aa000-0000-7000-8000-000000000001")
	for _, s := range []string{"", "x", filter.cursor(id), Filter{}.cursor(id), filter.cursor(id) + "A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := filter
		c.Cursor = s
		id, err := c.after()
		if err != nil {
			require.ErrorIs(t, err, ErrCursor)
			return
		}
		require.Equal(t, s, filter.cursor(id), "one cursor for one place")
	})
}

func TestCursorIgnoresClockAndZone(t *testing.T) {
	t.Parallel()
	now := time.Now()
	id := uuid.Must(uuid.NewV7())
	a := Filter{Since: now}
	b := Filter{Since: now.UTC().Round(0), Limit: 7, Cursor: a.cursor(id)}
	got, err := b.after()
	require.NoError(t, err)
	require.Equal(t, id, got)
}
