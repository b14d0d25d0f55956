package oracle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/schema/field"
)

// Value is a value of a column in a form that is the same for all databases: Null, Any,
// empty where there is no such side, or a text in quotes.
type Value string

// Values that are no texts.
const (
	Null Value = "NULL"
	Any  Value = "any value" // known to be there, and no more
)

// Text returns the value that is the given text.
func Text(s string) Value { return Value(strconv.Quote(s)) }

// text returns the text of a value that is one.
func (v Value) text() string {
	s, err := strconv.Unquote(string(v))
	if err != nil {
		return string(v)
	}
	return s
}

// ID returns the value as entries name a row by it.
func (v Value) ID(kind field.Type) string {
	if kind == field.TypeBytes {
		return hex.EncodeToString([]byte(v.text()))
	}
	return v.text()
}

// Equal reports whether two values are the same as far as is known.
func (v Value) Equal(w Value) bool {
	if v == Any || w == Any {
		return v != "" && v != Null && w != "" && w != Null
	}
	return v == w
}

// Stored returns the value of a column whose text, or whose bytes, a database gave.
func Stored(kind field.Type, b []byte) Value {
	s := string(b)
	switch {
	case kind == field.TypeBool:
		return Text(map[string]string{"1": "true", "t": "true", "0": "false", "f": "false"}[s[:min(len(s), 1)]])
	case kind.Float():
		return Float(kind, s)
	case kind == field.TypeTime:
		return Time(s)
	case kind == field.TypeJSON:
		return JSON(b)
	case kind == field.TypeUUID:
		return Text(strings.ToLower(s))
	}
	return Text(s)
}

// Float returns the value of a column with a floating point number.
func Float(kind field.Type, s string) Value {
	bits := 64
	if kind == field.TypeFloat32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return Text(s)
	}
	return Text(strconv.FormatFloat(f, 'e', -1, bits))
}

// JSON returns the value of a column with a document: keys in order, numbers with the
// digits that they have.
func JSON(b []byte) Value {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return Text(string(b))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Text(string(b))
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		return Text(string(b))
	}
	return Text(string(sorted))
}

// moments are the forms in which databases give times, apart from microseconds since 1970.
var moments = []string{
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999-07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02",
}

// Time returns the value of a column with a time, in UTC and to the microsecond.
func Time(s string) Value {
	if us, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Text(time.UnixMicro(us).UTC().Format(time.RFC3339Nano))
	}
	short, _, _ := strings.Cut(s, " m=")
	if i := strings.LastIndexByte(short, ' '); i > 0 && strings.ContainsAny(short[i:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		short = short[:i] // the name of the zone behind its offset
	}
	for _, form := range moments {
		if t, err := time.Parse(form, short); err == nil {
			return Text(t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano))
		}
	}
	return Text(s)
}
