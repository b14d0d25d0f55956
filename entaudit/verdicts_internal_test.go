package entaudit

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names are told apart whatever place they share, by many goroutines at once, and
// whoever sends ever new ones has no more of them kept than there are places.
func TestVerdictsAreThoseOfTheirNames(t *testing.T) {
	t.Parallel()
	v := newVerdicts()
	masked := func(name string) bool { return strings.HasSuffix(name, "1") || strings.HasSuffix(name, "7") }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for round := range 3 {
				for n := range 4 * maxVerdicts {
					name := fmt.Sprintf("name%d", n)
					if v.of(name, masked) != masked(name) {
						t.Errorf("round %d: wrong for %s", round, name)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestVerdictsAreRemembered(t *testing.T) {
	t.Parallel()
	v := newVerdicts()
	asked := 0
	decide := func(string) bool { asked++; return true }
	for range 3 {
		require.True(t, v.of("password", decide))
	}
	require.Equal(t, 1, asked)
	long := strings.Repeat("x", longestVerdict+1)
	for range 3 {
		require.True(t, v.of(long, decide))
	}
	require.Equal(t, 4, asked, "names that are too long are not kept")
}
