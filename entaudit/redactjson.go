package entaudit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep nested values are followed; deeper ones are refused.
const maxDepth = 64

var (
	errDepth  = errors.New("nested too deep")
	errValue  = errors.New("there is no value where one has to be")
	errName   = errors.New("there is no name with a colon behind it where one has to be")
	errEnd    = errors.New("an object, an array or a string does not end where it has to")
	errTwo    = errors.New("more than one value")
	errNested = errors.New("what a masked name holds is not JSON")
)

// JSON returns data, one JSON value, with the values of masked names and what
// [Redactor.Text] finds replaced, and calls mark with the path of each. Key order, duplicates and the digits of
// numbers are kept. It fails on what is not one JSON value.
func (d *Redactor) JSON(data []byte, mark func(path string, m Mark)) (json.RawMessage, error) {
	j := jsonRedactor{data: data, s: string(data), d: d, out: make([]byte, 0, len(data)+len(data)/8), mark: mark}
	if err := j.document(); err != nil {
		return nil, fmt.Errorf("entaudit: redact JSON: %w", err)
	}
	return j.out, nil
}

// jsonRedactor reads a JSON text once, from its beginning to its end, and copies it
// on the way. What it takes for JSON is what encoding/json does.
type jsonRedactor struct {
	data []byte
	s    string // the same
	at   int    // what is in front of it has been read
	d    *Redactor
	out  []byte
	mark func(string, Mark)
	path []byte // of the value at hand, where there is a mark
}

func (j *jsonRedactor) document() error {
	if err := j.value(0); err != nil {
		return err
	}
	if j.next(); j.at < len(j.s) {
		return errTwo
	}
	return nil
}

// next goes to the next byte that is not blank and returns it, 0 at the end.
func (j *jsonRedactor) next() byte {
	for ; j.at < len(j.s); j.at++ {
		switch c := j.s[j.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// copy copies the one byte that is read next.
func (j *jsonRedactor) copy() {
	j.out = append(j.out, j.s[j.at])
	j.at++
}

// value copies one value.
func (j *jsonRedactor) value(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch j.next() {
	case '{':
		return j.object(depth)
	case '[':
		return j.array(depth)
	case '"':
		text, err := j.text()
		if err != nil {
			return err
		}
		j.out = AppendString(j.out, j.search(text))
		return nil
	}
	text, err := j.scalar()
	if err != nil {
		return err
	}
	if len(text) >= minCard { // nothing else is a secret and a number
		if found := j.search(text); found != text {
			j.out = AppendString(j.out, found)
			return nil
		}
	}
	j.out = append(j.out, text...)
	return nil
}

// search returns what may be kept of the text at hand.
func (j *jsonRedactor) search(s string) string {
	s, m := j.d.Text(s)
	if m != "" {
		j.note(m)
	}
	return s
}

// note tells that the value at hand is not verbatim.
func (j *jsonRedactor) note(m Mark) {
	if j.mark != nil {
		j.mark(string(j.path), m)
	}
}

func (j *jsonRedactor) object(depth int) error {
	j.copy()
	if j.next() == '}' {
		j.copy()
		return nil
	}
	for {
		if j.next() != '"' {
			return errName
		}
		name, err := j.text()
		if err != nil {
			return err
		}
		if j.next() != ':' {
			return errName
		}
		shown, how := name, Mark("")
		if len(name) >= minCard || strings.ContainsAny(name, "=:") { // else shorter than a secret by its form, and no password behind a name
			shown, how = j.d.Text(name)
		}
		j.out = AppendString(j.out, shown)
		j.copy()
		around := j.enter(shown)
		if how != "" {
			j.note(how)
		}
		if j.d.Name(name) {
			err = j.secret()
		} else {
			err = j.value(depth + 1)
		}
		j.path = j.path[:around]
		if err != nil {
			return err
		}
		if more, err := j.more('}'); !more {
			return err
		}
	}
}

func (j *jsonRedactor) array(depth int) error {
	j.copy()
	if j.next() == ']' {
		j.copy()
		return nil
	}
	for i := 0; ; i++ {
		around := j.enterAt(i)
		err := j.value(depth + 1)
		j.path = j.path[:around]
		if err != nil {
			return err
		}
		if more, err := j.more(']'); !more {
			return err
		}
	}
}

// more copies what follows a value of an object or an array, and reports whether that
// is another one.
func (j *jsonRedactor) more(end byte) (bool, error) {
	switch j.next() {
	case ',':
		j.copy()
		return true, nil
	case end:
		j.copy()
		return false, nil
	}
	return false, errEnd
}

// enter makes the path that of a value within the one at hand, as joinPath does. It
// returns the length to which the path goes back behind it.
func (j *jsonRedactor) enter(name string) int {
	around := len(j.path)
	if j.mark == nil {
		return around
	}
	if around > 0 {
		j.path = append(j.path, '.')
	}
	j.path = append(j.path, prefix(name, maxPath)...)
	j.cutPath()
	return around
}

// enterAt is like enter, for the value at i of an array.
func (j *jsonRedactor) enterAt(i int) int {
	around := len(j.path)
	if j.mark == nil {
		return around
	}
	j.path = append(strconv.AppendInt(append(j.path, '['), int64(i), 10), ']')
	j.cutPath()
	return around
}

func (j *jsonRedactor) cutPath() {
	if len(j.path) > maxPath {
		j.path = j.path[:len(prefix(string(j.path), maxPath))]
	}
}

// secret puts something else in the place of a value, unless nothing was set.
func (j *jsonRedactor) secret() error {
	c := j.next()
	start := j.at
	var err error
	switch c {
	case '{', '[':
		j.at += extent(j.s[j.at:])
		if !json.Valid(j.data[start:j.at]) {
			err = errNested
		}
	case '"':
		_, err = j.text()
	default:
		_, err = j.scalar()
	}
	if err != nil {
		return err
	}
	if raw := j.s[start:j.at]; raw == "null" || raw == `""` {
		j.out = append(j.out, raw...)
		return nil
	}
	j.out = append(append(append(j.out, '"'), Redacted...), '"')
	j.note(MarkRedacted)
	return nil
}

// extent returns the length of the object or array that s begins with, if it is one.
func extent(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i += 1 + closing(s[i+1:], `"`)
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// text reads a string and returns what it says.
func (j *jsonRedactor) text() (string, error) {
	start, i := j.at, j.at+1
	escaped, ascii := false, true
	for ; i < len(j.s) && j.s[i] != '"'; i++ {
		switch c := j.s[i]; {
		case c < ' ':
			return "", errEnd
		case c == '\\':
			escaped = true
			i++
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if i >= len(j.s) {
		return "", errEnd
	}
	j.at = i + 1
	text := j.s[start+1 : i]
	if escaped || !ascii && !utf8.ValidString(text) {
		return unquote(j.data[start:j.at])
	}
	return text, nil
}

func unquote(data []byte) (s string, err error) {
	err = json.Unmarshal(data, &s)
	return s, err
}

// scalar reads a number, true, false or null and returns it.
func (j *jsonRedactor) scalar() (string, error) {
	rest := j.s[j.at:]
	n := numeral(rest)
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(rest, word) {
			n = len(word)
		}
	}
	if n == 0 {
		return "", errValue
	}
	j.at += n
	return rest[:n], nil
}

// numeral returns the length of the number that s begins with, 0 where it is none.
func numeral(s string) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && digit(s[i]) {
			i++
		}
		return i > from
	}
	at := func(chars string) bool { return i < len(s) && strings.IndexByte(chars, s[i]) >= 0 }
	if at("-") {
		i++
	}
	if at("0") {
		i++
	} else if !digits() {
		return 0
	}
	if at(".") {
		if i++; !digits() {
			return 0
		}
	}
	if at("eE") {
		if i++; at("+-") {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}
