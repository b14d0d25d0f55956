package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/entaudit/audit/entaudit"
)

// A segment is a header and then batches, each synced before the next one is begun:
//
//	"entspl1\n", offset of the first record not acknowledged (8), its CRC-32C (4)
//	ff 45 42 fe, its own offset (8), CRC-32C of that (4): a batch begins
//	ff 45 41 fe, length of the payload (4), CRC-32C of length and payload (4), payload: JSON
//
// Behind the last batch is the beginning of another, which tells that the last one was synced.
// Numbers are little-endian. The first offset is written without a sync: where it is lost,
// entries are delivered again. The first bytes of a batch and of a record are not UTF-8, so
// that no payload looks like one. At the end of the newest file there may be zeros, room set
// aside for batches to come: a sync costs half as much where it changes nothing but contents.
// So what a power failure leaves of a batch may have zeros anywhere in it.
const (
	magic      = "entspl1\n"
	headerSize = len(magic) + 8 + 4
	batchMark  = "\xffEB\xfe"
	batchSize  = len(batchMark) + 8 + 4
	mark       = "\xffEA\xfe"
	noPrefix   = "\x00\x00\x00\x00\x00\x00\x00\x00" // length and CRC until they are known
	prefixSize = len(mark) + len(noPrefix)
	hole       = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // more zeros than what is written ever has
)

// putBatch fills in the first bytes of a batch at an offset.
func putBatch(b []byte, at int64) {
	n := copy(b, batchMark)
	binary.LittleEndian.PutUint64(b[n:], uint64(at)) //nolint:gosec // not negative
	binary.LittleEndian.PutUint32(b[n+8:], crc32.Checksum(b[n:n+8], crc32.MakeTable(crc32.Castagnoli)))
}

// isBatch reports whether a batch begins with b, which is at an offset.
func isBatch(b []byte, at int64) bool {
	if !bytes.HasPrefix(b, []byte(batchMark)) {
		return false
	}
	var want [batchSize]byte
	putBatch(want[:], at)
	return bytes.HasPrefix(b, want[:])
}

// isPart reports whether b, which is at an offset, is what a power failure left of the
// beginning of a batch.
func isPart(b []byte, at int64) bool {
	var want [batchSize]byte
	putBatch(want[:], at)
	for i, c := range b {
		if i == batchSize || c != 0 && c != want[i] {
			return false
		}
	}
	return true
}

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

// frames calls yield with each record of data, which may be damaged and begins at an offset
// of the file, and with each beginning of a batch, for which the payload is nil, until yield
// returns false.
func frames(data []byte, offset int64, yield func(begin, end int, payload []byte) bool) {
	for at := 0; at < len(data); {
		end := at + batchSize
		payload, ok := record(data[at:])
		if ok {
			end = at + prefixSize + len(payload)
		} else if !isBatch(data[at:], offset+int64(at)) {
			next := bytes.IndexByte(data[at+1:], mark[0])
			if next < 0 {
				return
			}
			at += 1 + next
			continue
		}
		if !yield(at, end, payload) {
			return
		}
		at = end
	}
}

// scan calls yield with each record of data, which may be damaged and begins at an offset of
// the file, and where it ends, until yield returns false. It returns where the last one ended,
// where the last one or beginning of a batch did, and how many records seem to have been
// between them.
func scan(data []byte, offset int64, yield func(payload []byte, end int) bool) (end, seen, lost int) {
	found := 0
	frames(data, offset, func(begin, stop int, payload []byte) bool {
		if gap := data[seen:begin]; len(gap) > batchSize { // else it is a beginning of a batch
			lost += estimate(gap, average(end, found))
		}
		seen = stop
		if payload == nil {
			return true
		}
		end = stop
		found++
		return yield(payload, end)
	})
	return end, seen, lost
}

// average is how long n records are that take so many bytes.
func average(bytes, n int) int {
	if n == 0 {
		return typicalRecord
	}
	return bytes / n
}

// synced returns data, which is the end of a file, without what had not been synced when the
// power failed: of the last batch what is behind the first hole. What another batch has been
// begun behind had been synced.
func synced(data []byte, offset int64) []byte {
	data = bytes.TrimRight(data, "\x00")
	last := 0
	frames(data, offset, func(begin, _ int, payload []byte) bool {
		if payload == nil {
			last = begin
		}
		return true
	})
	seen, cut := last, len(data)
	look := func(begin int) bool {
		if bytes.Contains(data[seen:begin], []byte(hole)) {
			cut = seen
			return false
		}
		return true
	}
	frames(data[last:], offset+int64(last), func(begin, end int, _ []byte) bool {
		whole := look(last + begin)
		if whole {
			seen = last + end
		}
		return whole
	})
	if cut == len(data) {
		look(len(data))
	}
	return data[:cut]
}

// estimate returns how many records seem to have been in data, which holds none any more: as
// many as there are marks, or as there is room for where it has holes, and one at least.
func estimate(data []byte, record int) int {
	n := bytes.Count(data, []byte(mark))
	if !bytes.HasPrefix(data, []byte(mark)) && !bytes.HasPrefix(data, []byte(batchMark)) {
		n++
	}
	if bytes.Contains(data, []byte(hole)) {
		n = max(n, (len(data)+record/2)/record)
	}
	return max(1, n)
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
