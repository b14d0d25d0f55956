package entaudit

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	maxVerdicts    = 1 << 10 // a power of two
	longestVerdict = 64      // bytes of the names that are remembered
)

// verdicts remembers of some names whether they are masked: the names in what a
// service is sent are few, and come with each request. A name has one place, where
// the next one with the same hash takes over, so that strangers who send names of
// their own fill no memory. It is safe for concurrent use.
type verdicts struct {
	seed  maphash.Seed
	slots [maxVerdicts]atomic.Pointer[verdict]
}

// verdict is immutable.
type verdict struct {
	name   string
	masked bool
}

func newVerdicts() *verdicts { return &verdicts{seed: maphash.MakeSeed()} }

// of returns what decide says of name, or has said.
func (v *verdicts) of(name string, decide func(string) bool) bool {
	if len(name) > longestVerdict {
		return decide(name)
	}
	slot := &v.slots[maphash.String(v.seed, name)%maxVerdicts]
	if known := slot.Load(); known != nil && known.name == name {
		return known.masked
	}
	masked := decide(name)
	slot.Store(&verdict{strings.Clone(name), masked}) // what name is part of is not kept
	return masked
}
