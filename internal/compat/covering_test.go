package compat_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// set says for each feature whether it is on.
type set []bool

// pair is one combination of two features.
type pair struct {
	i, j     int
	onI, onJ bool
}

// pairsOf returns the combinations of two features that s has.
func pairsOf(s set) []pair {
	var pairs []pair
	for i := range s {
		for j := i + 1; j < len(s); j++ {
			pairs = append(pairs, pair{i, j, s[i], s[j]})
		}
	}
	return pairs
}

// covering returns sets of n features in which each two features occur on and off in
// all four combinations. The first has all of them, the second none. The others are
// found greedily: each begins with the first combination that is missing and takes for
// every further feature what adds more that is.
func covering(n int) []set {
	missing := make(map[pair]bool)
	for i := range n {
		for j := i + 1; j < n; j++ {
			for _, on := range []bool{true, false} {
				missing[pair{i, j, on, true}], missing[pair{i, j, on, false}] = true, true
			}
		}
	}
	all, none := make(set, n), make(set, n)
	for i := range all {
		all[i] = true
	}
	sets := []set{all, none}
	for _, s := range sets {
		for _, p := range pairsOf(s) {
			delete(missing, p)
		}
	}
	for len(missing) > 0 {
		s := next(n, missing, len(sets))
		for _, p := range pairsOf(s) {
			delete(missing, p)
		}
		sets = append(sets, s)
	}
	return sets
}

// next returns a set with many missing combinations. The order in which features are
// decided begins elsewhere each time.
func next(n int, missing map[pair]bool, turn int) set {
	first := firstOf(n, missing)
	s, decided := make(set, n), make([]bool, n)
	s[first.i], s[first.j] = first.onI, first.onJ
	decided[first.i], decided[first.j] = true, true
	for k := range n {
		i := (k + turn) % n
		if decided[i] {
			continue
		}
		gain := map[bool]int{}
		for j := range n {
			for _, on := range []bool{true, false} {
				if decided[j] && missing[ordered(i, j, on, s[j])] {
					gain[on]++
				}
			}
		}
		s[i] = gain[true] > gain[false] || gain[true] == gain[false] && (i+turn)%2 == 0
		decided[i] = true
	}
	return s
}

// firstOf returns the first combination in missing by the order of features.
func firstOf(n int, missing map[pair]bool) pair {
	for i := range n {
		for j := i + 1; j < n; j++ {
			for _, p := range []pair{{i, j, true, true}, {i, j, true, false}, {i, j, false, true}, {i, j, false, false}} {
				if missing[p] {
					return p
				}
			}
		}
	}
	panic("none is missing")
}

func ordered(i, j int, onI, onJ bool) pair {
	if i > j {
		i, j, onI, onJ = j, i, onJ, onI
	}
	return pair{i, j, onI, onJ}
}

func TestCase70EveryPairOfFeatures(t *testing.T) {
	t.Parallel()
	for n := 2; n <= 20; n++ {
		sets := covering(n)
		require.Equal(t, sets, covering(n), "the same each time")
		seen := make(map[pair]bool)
		for _, s := range sets {
			for _, p := range pairsOf(s) {
				seen[p] = true
			}
		}
		require.Len(t, seen, 4*n*(n-1)/2, "%d features", n)
		require.LessOrEqual(t, len(sets), 12, "%d features", n)
	}
}
