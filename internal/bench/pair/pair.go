// Package pair compares what took turns: rounds of which each ran all contenders, so
// that whatever changes over time meets all of them alike.
package pair

import (
	"slices"
	"time"
)

// Order returns in which order a round runs n contenders: there and back.
func Order(n int) []int {
	order := make([]int, 0, 2*n)
	for i := range n {
		order = append(order, i)
	}
	back := slices.Clone(order)
	slices.Reverse(back)
	return append(order, back...)
}

// Ratio is what the rounds of one contender took to those of another: the median over
// pairs of the same round, and the quartiles around it.
type Ratio struct{ Low, Median, High float64 }

// RatioOf returns the ratio of over to under, which belong together one by one.
func RatioOf(over, under []time.Duration) Ratio {
	r := make([]float64, len(over))
	for i := range r {
		r[i] = float64(over[i]) / float64(under[i])
	}
	return Ratio{Quantile(r, 0.25), Quantile(r, 0.5), Quantile(r, 0.75)}
}

// Excess returns the median over pairs of what over took more than under.
func Excess(over, under []time.Duration) time.Duration {
	d := make([]time.Duration, len(over))
	for i := range d {
		d[i] = over[i] - under[i]
	}
	return Quantile(d, 0.5)
}

// Typical returns the median of what rounds took.
func Typical(took []time.Duration) time.Duration { return Quantile(slices.Clone(took), 0.5) }

// Quantile returns the q-quantile of values, which it sorts.
func Quantile[T time.Duration | float64](values []T, q float64) T {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + T((at-float64(i))*float64(values[i+1]-values[i]))
}
