package pair

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"one", []float64{7}, 0.5, 7},
		{"odd", []float64{3, 1, 2}, 0.5, 2},
		{"even", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"low", []float64{5, 1, 3, 2, 4}, 0.25, 2},
		{"last", []float64{1, 2}, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.InDelta(t, tt.want, Quantile(tt.values, tt.q), 1e-9)
		})
	}
}

func TestRatioIgnoresOutliers(t *testing.T) {
	t.Parallel()
	under, over := make([]time.Duration, 101), make([]time.Duration, 101)
	for i := range under {
		under[i], over[i] = 100, 250
	}
	for i := range 20 {
		under[i], over[50+i] = 9000, 9000
	}
	require.InDelta(t, 2.5, RatioOf(over, under).Median, 1e-9)
}

func TestExcessIsThatOfPairs(t *testing.T) {
	t.Parallel()
	over, under := []time.Duration{105, 1005, 7}, []time.Duration{100, 1000, 1}
	require.Equal(t, time.Duration(5), Excess(over, under))
	require.Equal(t, []time.Duration{105, 1005, 7}, over, "it has been sorted")
}

func TestOrderIsThereAndBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{0, 1, 2, 2, 1, 0}, Order(3))
}
