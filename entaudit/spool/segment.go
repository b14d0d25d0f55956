package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// A segment is a header and then records:
//
//	"entspl1\n", offset of the first record not acknowledged (8), its CRC-32C (4)
//	ff 45 41 fe, length of the payload (4), CRC-32C of length and payload (4), payload: JSON
//
// Numbers are little-endian. The offset is written without a sync: where it is lost,
// entries are delivered again. The first bytes of a record are not UTF-8, so that no payload
// looks like one.
const (
	magic      = "entspl1\n"
	headerSize = len(magic) + 8 + 4
	mark       = "\xffEA\xfe"
	noPrefix   = "\x00\x00\x00\x00\x00\x00\x00\x00" // length and CRC until they are known
	prefixSize = len(mark) + len(noPrefix)
)

// appendRecord appends e as a record. Where that fails buf is returned as it was.
func appendRecord(buf []byte, e *entaudit.Entry) ([]byte, error) {
	begin := len(buf)
	whole, err := marshal(append(buf, mark+noPrefix...), e)
	if err != nil {
		return buf, err
	}
	prefix, payload := whole[begin+len(mark):begin+prefixSize], whole[begin+prefixSize:]
	binary.LittleEndian.PutUint32(prefix, uint32(len(payload))) //nolint:gosec // entries are bounded
	binary.LittleEndian.PutUint32(prefix[4:], checksum(prefix[:4], payload))
	return whole, nil
}

func checksum(length, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(0, table, length), table, payload)
}

// whole returns where the record ends that data begins with, by its mark and length, if all
// of it is there.
func whole(data []byte) (end int, ok bool) {
	if len(data) < prefixSize || string(data[:len(mark)]) != mark {
		return 0, false
	}
	n := int64(binary.LittleEndian.Uint32(data[len(mark):]))
	return prefixSize + int(n), n > 0 && n <= int64(len(data)-prefixSize)
}

// record returns the payload of the record that data begins with.
func record(data []byte) (payload []byte, ok bool) {
	end, ok := whole(data)
	if !ok {
		return nil, false
	}
	length := data[len(mark) : len(mark)+4]
	payload = data[prefixSize:end]
	return payload, checksum(length, payload) == binary.LittleEndian.Uint32(data[len(mark)+4:])
}

// scan calls yield with each record of data, which may be damaged, and where it ends, until
// yield returns false. It returns where the last one ended and how many seem to have been
// between those that it found.
func scan(data []byte, yield func(payload []byte, end int) bool) (end, lost int) {
	for at := 0; at < len(data); {
		payload, ok := record(data[at:])
		if !ok {
			next := bytes.Index(data[at+1:], []byte(mark))
			if next < 0 {
				break
			}
			at += 1 + next
			continue
		}
		if at > end {
			lost += estimate(data[end:at])
		}
		at += prefixSize + len(payload)
		end = at
		if !yield(payload, end) {
			break
		}
	}
	return end, lost
}

// estimate returns how many records seem to have been in data, which holds none any more.
func estimate(data []byte) int {
	n := bytes.Count(data, []byte(mark))
	if len(data) > 0 && !bytes.HasPrefix(data, []byte(mark)) {
		n++
	}
	return n
}

// torn reports whether a write that was cut off can have left data, which holds no record.
// One that is there as a whole has been damaged later.
func torn(data []byte) bool {
	for {
		at := bytes.Index(data, []byte(mark))
		if at < 0 {
			return true
		}
		if _, ok := whole(data[at:]); ok {
			return false
		}
		data = data[at+1:]
	}
}

// encoded is entries as records, the length of each, and the entries as they come back.
type encoded struct {
	records []byte
	lengths []int
	entries []entaudit.Entry
}

// encode takes entries over, in the place of others. One that cannot be encoded is stored
// without what stands in the way, with a mark.
func (c *encoded) encode(entries []entaudit.Entry) error {
	c.entries = append(c.entries[:0], entries...) // the caller may reuse his
	c.lengths = slices.Grow(c.lengths[:0], len(entries))
	c.records = slices.Grow(c.records[:0], typicalRecord*len(entries))
	for i := range c.entries {
		e, before := &c.entries[i], len(c.records)
		records, err := appendRecord(c.records, e)
		if err == nil && !plain(e.Metadata, 0) {
			err = e.UnmarshalJSON(records[before+prefixSize:]) // it is the same before a crash and after it
		}
		if err != nil {
			*e = bare(*e, err)
			if records, err = appendRecord(c.records, e); err != nil {
				return fmt.Errorf("spool: entry %s: %w", e.ID, err)
			}
		}
		c.records = records
		c.lengths = append(c.lengths, len(records)-before)
	}
	return nil
}

// typicalRecord is how many bytes most records take.
const typicalRecord = 1280

// maxDepth is how deep values are nested that are looked at, rather than decoded.
const maxDepth = 16

// plain reports whether v is what comes out of JSON, as it is in finished entries.
func plain(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, string:
		return true
	case json.Number:
		return v != ""
	case []any:
		return v != nil && depth < maxDepth && !slices.ContainsFunc(v, func(e any) bool { return !plain(e, depth+1) })
	case map[string]any:
		if v == nil {
			return depth == 0
		}
		for _, e := range v {
			if depth == maxDepth || !plain(e, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// marshal appends e to buf. Values in its metadata may panic.
func marshal(buf []byte, e *entaudit.Entry) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encoding panicked with %T", p)
		}
	}()
	return e.AppendJSON(buf)
}

// bare returns e without what may be no JSON: finished entries have nothing of the kind.
func bare(e entaudit.Entry, err error) entaudit.Entry {
	e.Metadata = map[string]any{"encode_failed": entaudit.ErrorCode(err)}
	e.Changes, e.Edges = nil, nil
	e.Marks = map[string]entaudit.Mark{
		"metadata": entaudit.MarkUnencodable, "changes": entaudit.MarkUnencodable, "edges": entaudit.MarkUnencodable,
	}
	return e
}

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
	fresh   bool // of the committer: the folder has not been synced since it was made

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
	end, lost := scan(data[s.acked:], func([]byte, int) bool { s.left++; return true })
	s.end = s.acked + int64(end)
	r := recovered{lost: lost}
	if tail := data[s.end:]; newest && torn(tail) {
		r.torn = len(tail)
	} else {
		r.lost += estimate(tail)
	}
	s.damaged = r.lost > 0
	if r.torn > 0 {
		if err := f.Truncate(s.end); err != nil {
			return nil, recovered{}, err
		}
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
		last, bad := scan(data, func(payload []byte, stop int) bool {
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
