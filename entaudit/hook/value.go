package hook

import (
	"cmp"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// encoder writes values of columns as JSON.
type encoder struct {
	redact *entaudit.Redactor
	limit  int // bytes of one value
}

// exact is the largest integer up to which every JSON reader is exact.
const exact = 1 << 53

// append appends v, a value of a column of the given kind as the database or ent
// holds it, to b. The mark says in what way the result is not verbatim. Equal values
// give equal bytes, whichever of its forms a driver uses.
func (e encoder) append(b []byte, kind field.Type, v any) ([]byte, entaudit.Mark) {
	v = plainValue(v)
	if v == nil {
		return append(b, "null"...), ""
	}
	switch {
	case kind == field.TypeBool:
		return e.bool(b, v)
	case kind.Integer():
		return e.integer(b, v)
	case kind.Float():
		return e.float(b, kind, v)
	case kind == field.TypeTime:
		return e.time(b, v)
	case kind == field.TypeJSON:
		return e.json(b, v)
	case kind == field.TypeUUID:
		return e.text(b, uuidText(v))
	case kind == field.TypeBytes:
		return e.bytes(b, v)
	default:
		return e.other(b, v)
	}
}

func (e encoder) bool(b []byte, v any) ([]byte, entaudit.Mark) {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v), ""
	case int64:
		return strconv.AppendBool(b, v != 0), ""
	}
	s := text(v)
	t, err := strconv.ParseBool(s)
	if err != nil {
		return e.text(b, s)
	}
	return strconv.AppendBool(b, t), ""
}

func (e encoder) integer(b []byte, v any) ([]byte, entaudit.Mark) {
	switch v := v.(type) {
	case int64:
		if -exact <= v && v <= exact {
			return strconv.AppendInt(b, v, 10), ""
		}
	case uint64:
		if v <= exact {
			return strconv.AppendUint(b, v, 10), ""
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= exact {
			return strconv.AppendInt(b, int64(v), 10), ""
		}
	default:
		s := text(v)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
			return e.integer(b, n)
		}
	}
	b, m := e.text(b, text(v))
	if m == "" {
		m = entaudit.MarkText
	}
	return b, m
}

func (e encoder) float(b []byte, kind field.Type, v any) ([]byte, entaudit.Mark) {
	bits := 64
	if kind == field.TypeFloat32 {
		bits = 32
	}
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	default:
		// NUMERIC and the like: the text has all the digits, a float has not.
		s := text(v)
		if json.Valid([]byte(s)) {
			return append(b, s...), ""
		}
		return e.asText(b, s)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return e.asText(b, strconv.FormatFloat(f, 'g', -1, bits))
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits), ""
}

func (e encoder) asText(b []byte, s string) ([]byte, entaudit.Mark) {
	b, m := e.text(b, s)
	if m == "" {
		m = entaudit.MarkText
	}
	return b, m
}

// timeForms are the forms in which databases without a time type hold times.
var timeForms = [...]string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999-07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02",
}

func (e encoder) time(b []byte, v any) ([]byte, entaudit.Mark) {
	t, ok := v.(time.Time)
	if !ok {
		s := text(v)
		clock, _, _ := strings.Cut(s, " m=") // a monotonic reading, as time.Time prints it
		if strings.Count(clock, " ") == 3 {
			clock = clock[:strings.LastIndexByte(clock, ' ')] // the zone's name: its offset is in front of it
		}
		for _, form := range timeForms {
			var err error
			if t, err = time.Parse(form, clock); err == nil {
				ok = true
				break
			}
		}
		if !ok {
			return e.text(b, s)
		}
	}
	b = append(b, '"')
	b = t.UTC().Truncate(time.Microsecond).AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
	return append(b, '"'), ""
}

// json keeps a JSON document as a document where every database could hold it as
// one, and as text where not. Secrets are masked before anything is cut, and of what
// cannot be searched for them nothing but the length is kept.
func (e encoder) json(b []byte, v any) ([]byte, entaudit.Mark) {
	s := text(v)
	var mark entaudit.Mark
	doc, err := e.redact.JSON([]byte(s), func(string, entaudit.Mark) { mark = entaudit.MarkRedacted })
	switch {
	case err != nil:
		return entaudit.AppendString(b, fmt.Sprintf("[unparsed:%d]", len(s))), entaudit.MarkRedacted
	case mark != "":
		s = string(doc)
	}
	switch {
	case len(doc) > e.limit:
		return e.text(b, string(doc))
	case string(doc) == "null": // as a document, which is not the NULL of SQL
		return e.asText(b, "null")
	case !utf8.ValidString(s) || awkwardJSON(s):
		return e.asText(b, s)
	}
	return append(b, doc...), mark
}

// awkwardJSON reports whether s has escapes that not every database takes in JSON:
// NUL and surrogates without their other half.
func awkwardJSON(s string) bool {
	for i := strings.Index(s, `\u`); i >= 0 && i+6 <= len(s); {
		h := strings.ToLower(s[i+2 : i+6])
		if h == "0000" || h[0] == 'd' && h[1] >= '8' {
			return true
		}
		n := strings.Index(s[i+2:], `\u`)
		if n < 0 {
			break
		}
		i += 2 + n
	}
	return false
}

func (e encoder) bytes(b []byte, v any) ([]byte, entaudit.Mark) {
	var data []byte
	switch v := v.(type) {
	case []byte:
		data = v
	default:
		data = []byte(text(v))
	}
	mark := entaudit.MarkBase64
	if base64.StdEncoding.EncodedLen(len(data)) > e.limit {
		data, mark = data[:e.limit/4*3], entaudit.MarkCut
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"'), mark
}

// other encodes strings, enums and types of the user's own, by what the database
// gave.
func (e encoder) other(b []byte, v any) ([]byte, entaudit.Mark) {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v), ""
	case int64, uint64:
		return e.integer(b, v)
	case float64:
		return e.float(b, field.TypeFloat64, v)
	case time.Time:
		return e.time(b, v)
	case []byte:
		if !utf8.Valid(v) {
			return e.bytes(b, v)
		}
	}
	s, found := e.redact.Text(text(v))
	b, m := e.text(b, s)
	return b, cmp.Or(m, found)
}

func (e encoder) text(b []byte, s string) ([]byte, entaudit.Mark) {
	from := len(b)
	s, m := entaudit.Bound(s, e.limit)
	b = entaudit.AppendString(b, s)
	for most := 2*e.limit + len(`""`); len(b)-from > most; {
		// Escapes have made it much longer.
		s, _ = entaudit.Bound(s, len(s)*most/(len(b)-from)-1)
		b, m = entaudit.AppendString(b[:from], s), entaudit.MarkCut
	}
	return b, m
}

// plainValue returns v as one of the types of driver.Value, or uint64.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, string, []byte, int64, bool, float64, time.Time, uint64, uuid.UUID:
		return v
	case int:
		return int64(v)
	case float32:
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return f
	case [16]byte:
		return uuid.UUID(v)
	case driver.Valuer:
		rv := reflect.ValueOf(v)
		if rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil
		}
		if u, err := v.Value(); err == nil {
			return plainValue(u)
		}
		return fmt.Sprintf("%T", v)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return nil
		}
		return plainValue(rv.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint()
	case reflect.Float32, reflect.Float64:
		return rv.Float()
	case reflect.String:
		return rv.String()
	case reflect.Bool:
		return rv.Bool()
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return rv.Bytes()
		}
	}
	return fmt.Sprint(v)
}

// text returns a plain value as text.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func uuidText(v any) string {
	switch v := v.(type) {
	case uuid.UUID:
		return v.String()
	case []byte:
		if u, err := uuid.FromBytes(v); err == nil {
			return u.String()
		}
	}
	s := text(v)
	if u, err := uuid.Parse(s); err == nil {
		return u.String()
	}
	return s
}

// idText returns the id of a row as entries hold it: decimal, canonical uuid, text,
// or hex for bytes.
func idText(kind field.Type, v any) string {
	v = plainValue(v)
	switch kind {
	case field.TypeUUID:
		return uuidText(v)
	case field.TypeBytes:
		return hex.EncodeToString([]byte(text(v)))
	}
	if b, ok := v.([]byte); ok && !utf8.Valid(b) {
		return hex.EncodeToString(b)
	}
	return text(v)
}

// idOf returns the resource id of a row whose id columns hold values: the id itself
// or, for composite ids, a JSON array of them in the order of the schema.
func idOf(s *Schema, values []any) string {
	if len(s.ID) == 1 {
		return idText(s.ID[0].Kind, values[0])
	}
	b := []byte{'['}
	for i, f := range s.ID {
		if i > 0 {
			b = append(b, ',')
		}
		b = entaudit.AppendString(b, idText(f.Kind, values[i]))
	}
	return string(append(b, ']'))
}
