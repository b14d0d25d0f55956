package oracle

// longest is how many statements of one mutation on one row are taken together.
const longest = 8

// Match reports whether what was recorded of one row is what happened to it, in order.
// Several statements of one mutation on the row may be recorded as their net change, or
// not at all where nothing is left; where the database tells its transactions, they must
// be of the same one. What no trigger saw may be recorded in finer steps. Match returns
// how many changes were not recorded one by one.
func Match(happened, recorded []Change) (netted int, ok bool) {
	m := matcher{happened: happened, recorded: recorded, failed: make(map[[2]int]bool)}
	return m.from(0, 0)
}

type matcher struct {
	happened, recorded []Change
	failed             map[[2]int]bool
}

// from matches what follows i changes that happened and j that were recorded.
func (m *matcher) from(i, j int) (netted int, ok bool) {
	if i == len(m.happened) && j == len(m.recorded) {
		return 0, true
	}
	at := [2]int{i, j}
	if m.failed[at] {
		return 0, false
	}
	m.failed[at] = true
	for n := 1; n <= longest && i+n <= len(m.happened); n++ {
		run := m.happened[i : i+n]
		if run[0].Tx != run[n-1].Tx {
			break
		}
		net, left := Net(run)
		switch {
		case !left && n > 1:
			if rest, ok := m.from(i+n, j); ok {
				return rest + n, true
			}
		case left && j < len(m.recorded) && net.Equal(m.recorded[j]):
			if rest, ok := m.from(i+n, j+1); ok {
				if n == 1 {
					return rest, true
				}
				return rest + n, true
			}
		}
	}
	return m.finer(i, j)
}

// finer matches a change that no trigger saw with several that were recorded.
func (m *matcher) finer(i, j int) (netted int, ok bool) {
	if i == len(m.happened) || !m.happened[i].Silent {
		return 0, false
	}
	for n := 2; n <= longest && j+n <= len(m.recorded); n++ {
		if net, left := Net(m.recorded[j : j+n]); left && net.Equal(m.happened[i]) {
			if rest, ok := m.from(i+1, j+n); ok {
				return rest + 1, true
			}
		}
	}
	return 0, false
}
