package spool

import (
	"math"
)

// ahead is how much room is set aside for entries to come.
const ahead = 1 << 20

// setAside makes room for batches to come, as far as the limits go.
func (s *Spool) setAside(seg *segment, from, ahead int64) error {
	s.mu.Lock()
	ahead = min(ahead, s.cfg.SegmentBytes-from, s.cfg.MaxBytes-s.bytes-s.reserved)
	s.mu.Unlock()
	for at := from; at < from+ahead; at += int64(len(zeros)) {
		if _, err := seg.file.WriteAt(zeros[:min(int64(len(zeros)), from+ahead-at)], at); err != nil {
			seg.aside = math.MaxInt64 // not again
			return seg.file.Truncate(from)
		}
	}
	seg.aside = from + max(0, ahead)
	return nil
}

var zeros [64 << 10]byte

// giveBack ends the room that is set aside, of a file that nothing is appended to any more.
// Where that fails it remains, until the file goes.
func (seg *segment) giveBack() {
	end := seg.size()
	if !seg.vouch() {
		end = seg.end
	}
	if seg.aside > seg.end {
		_ = seg.file.Truncate(end) // zeros are no entries
	}
	_ = seg.file.Sync() // its batches are synced already
}
