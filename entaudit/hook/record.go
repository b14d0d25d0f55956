package hook

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Types of values that drivers give, in records.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagUint
	tagFloat
	tagFloat32
	tagString
	tagBytes
	tagTime
)

// appendRecord appends values as drivers give them, so that readRecord finds the same.
func appendRecord(b []byte, values []any) ([]byte, error) {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, tagNull)
		case bool:
			if v {
				b = append(b, tagTrue)
			} else {
				b = append(b, tagFalse)
			}
		case int64:
			b = binary.AppendVarint(append(b, tagInt), v)
		case uint64:
			b = binary.AppendUvarint(append(b, tagUint), v)
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v))
		case float32:
			b = binary.BigEndian.AppendUint32(append(b, tagFloat32), math.Float32bits(v))
		case string:
			b = append(binary.AppendUvarint(append(b, tagString), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, tagBytes), uint64(len(v))), v...)
		case time.Time:
			data, err := v.MarshalBinary()
			if err != nil {
				return nil, err
			}
			b = append(binary.AppendUvarint(append(b, tagTime), uint64(len(data))), data...)
		default:
			return nil, fmt.Errorf("a driver gave a %T", v)
		}
	}
	return b, nil
}

var errRecord = errors.New("damaged record")

// parseRecord returns the n values of a record.
func parseRecord(b []byte, n int) ([]any, error) {
	values := make([]any, n)
	for i := range values {
		var err error
		if values[i], b, err = parseValue(b); err != nil {
			return nil, err
		}
	}
	if len(b) > 0 {
		return nil, errRecord
	}
	return values, nil
}

// parseValue returns the first value of b and the rest.
func parseValue(b []byte) (v any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errRecord
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagNull:
		return nil, b, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, b, nil
	case tagInt:
		i, n := binary.Varint(b)
		if n <= 0 {
			return nil, nil, errRecord
		}
		return i, b[n:], nil
	case tagFloat:
		if len(b) < 8 {
			return nil, nil, errRecord
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], nil
	case tagFloat32:
		if len(b) < 4 {
			return nil, nil, errRecord
		}
		return math.Float32frombits(binary.BigEndian.Uint32(b)), b[4:], nil
	}
	u, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, nil, errRecord
	}
	if b = b[n:]; tag == tagUint {
		return u, b, nil
	}
	if u > uint64(len(b)) {
		return nil, nil, errRecord
	}
	data, rest := b[:u:u], b[u:]
	switch tag {
	case tagString:
		return string(data), rest, nil
	case tagBytes:
		return data, rest, nil
	case tagTime:
		var t time.Time
		if err := t.UnmarshalBinary(data); err != nil {
			return nil, nil, err
		}
		return t, rest, nil
	}
	return nil, nil, errRecord
}
