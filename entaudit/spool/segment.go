package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// segment is one file. Its fields are guarded by Spool.mu, except what is said to be of
// one goroutine.
type segment struct {
	name    string
	file    file
	acked   int64 // where the first entry begins that is not acknowledged
	end     int64 // of what was synced
	left    int   // entries between the two
	sealed  bool  // nothing is appended any more
	damaged bool
	fresh   bool  // of the committer: the folder has not been synced since it was made
	aside   int64 // of the committer: where the room ends that is set aside

	// Entries from acked on, as many as there is room for, so that what is delivered soon
	// need not be read and decoded; and where each ends.
	recent     []entaudit.Entry
	recentEnds []int64
}

// maxRecent is how many bytes of records the entries of a spool that are kept in memory
// stand for at most.
const maxRecent = 4 << 20

// remember keeps entries whose records begin at an offset, if they follow on those that
// are kept and as far as there is room. It returns how much they take.
func (s *segment) remember(entries []entaudit.Entry, lengths []int, at, room int64) (taken int64) {
	if at != s.acked+s.remembered() {
		return 0
	}
	for i, n := range lengths {
		if taken+int64(n) > room {
			break
		}
		taken += int64(n)
		s.recent, s.recentEnds = append(s.recent, entries[i]), append(s.recentEnds, at+taken)
	}
	return taken
}

// remembered returns how many bytes of records the entries that are kept stand for.
func (s *segment) remembered() int64 {
	if len(s.recentEnds) == 0 {
		return 0
	}
	return s.recentEnds[len(s.recentEnds)-1] - s.acked
}

// forget keeps no entries any more, and returns how much they took.
func (s *segment) forget() (freed int64) {
	freed = s.remembered()
	s.recent, s.recentEnds = nil, nil
	return freed
}

// ack notes that everything before an offset is acknowledged. It returns how much the
// entries took that are not kept any more.
func (s *segment) ack(end int64) (freed int64) {
	before := s.remembered()
	n, _ := slices.BinarySearch(s.recentEnds, end+1)
	s.recent, s.recentEnds = s.recent[n:], s.recentEnds[n:]
	s.acked = end
	if len(s.recent) == 0 {
		s.recent, s.recentEnds = nil, nil
	}
	return before - s.remembered()
}

// size is how much of the disk a segment takes, with the beginning of another batch, and
// without what is set aside.
func (s *segment) size() int64 { return s.end + int64(batchSize) }

// vouch notes behind the last batch that it was synced, and reports whether it could. Without
// it less is known after a failure of the disk.
func (s *segment) vouch() bool {
	var b [batchSize]byte
	putBatch(b[:], s.end)
	_, err := s.file.WriteAt(b[:], s.end)
	return err == nil
}

func header(acked int64) []byte {
	buf := binary.LittleEndian.AppendUint64([]byte(magic), uint64(acked)) //nolint:gosec // not negative
	return binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf[len(magic):], crc32.MakeTable(crc32.Castagnoli)))
}

// acknowledged returns the offset in a header, or that of the first record.
func acknowledged(data []byte) int64 {
	slot := data[len(magic):headerSize]
	at := int64(binary.LittleEndian.Uint64(slot)) //nolint:gosec // checked below
	if !bytes.Equal(header(at)[len(magic):], slot) || at < int64(headerSize) || at > int64(len(data)) {
		return int64(headerSize)
	}
	return at
}

// recovered is what a segment of another process held beside entries.
type recovered struct {
	torn int // bytes that were cut off
	lost int // entries that cannot be read, as far as that can be told
}

// recoverSegment reads a file that another process left. Only in a newest one can the end
// be what a crash has left half written: all others had been synced as a whole.
func recoverSegment(name string, f file, newest bool) (*segment, recovered, error) {
	size, err := f.Size()
	if err != nil {
		return nil, recovered{}, err
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return nil, recovered{}, err
	}
	s := &segment{name: name, file: f, sealed: true, acked: int64(headerSize), end: int64(headerSize)}
	if len(data) < headerSize {
		if newest {
			return s, recovered{torn: len(data)}, nil // it was never synced
		}
		s.damaged = true
		return s, recovered{lost: 1}, nil
	}
	if string(data[:len(magic)]) == magic {
		s.acked = acknowledged(data)
	}
	rest := data[s.acked:]
	whole := rest
	if newest {
		whole = synced(rest, s.acked)
	}
	end, seen, lost := scan(whole, s.acked, func([]byte, int) bool { s.left++; return true })
	s.end = s.acked + int64(end)
	r := recovered{lost: lost}
	tail := bytes.TrimRight(whole[seen:], "\x00")
	switch {
	case newest && torn(tail):
		r.torn = max(0, len(bytes.TrimRight(rest, "\x00"))-seen)
	case len(tail) == 0 && seen > end: // nothing, or room that was not given back
	case s.acked+int64(seen) > int64(headerSize) && isPart(whole[seen:], s.acked+int64(seen)): // it is synced later, or never
	case len(whole) > seen:
		r.lost += estimate(tail, average(end, s.left))
	}
	s.damaged = r.lost > 0
	if newest && seen < len(rest) && (r.torn > 0 || !s.damaged) {
		_ = f.Truncate(s.acked + int64(seen)) // nothing is appended to it: it may stay as well
	}
	return s, r, nil
}

// window is how much of a segment is read at first.
const window = 512 << 10

// read returns up to n entries between from and end, and where each ends. Damaged ones are
// left out; the last offset is end if there is nothing readable before it.
func (s *segment) read(from, end int64, n int) (entries []entaudit.Entry, ends []int64, damaged bool, err error) {
	for size := int64(window); ; size *= 4 {
		size = min(size, end-from)
		data := make([]byte, size)
		if _, err := s.file.ReadAt(data, from); err != nil {
			return nil, nil, false, err
		}
		entries, ends = entries[:0], ends[:0]
		last, _, bad := scan(data, from, func(payload []byte, stop int) bool {
			var e entaudit.Entry
			if err := e.UnmarshalJSON(payload); err != nil {
				damaged = true
				return true
			}
			entries, ends = append(entries, e), append(ends, from+int64(stop))
			return len(entries) < n
		})
		damaged = damaged || bad > 0
		whole := from+size == end
		switch {
		case len(entries) == n, !whole && len(entries) > 0:
			return entries, ends, damaged, nil
		case !whole:
			continue
		}
		if from+int64(last) < end {
			damaged = true
		}
		if len(ends) > 0 {
			ends[len(ends)-1] = end
		}
		return entries, ends, damaged, nil
	}
}
