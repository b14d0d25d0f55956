package entaudit

import (
	"bytes"
	"encoding/json"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends s to b as a JSON string that every database takes: NUL
// bytes and invalid UTF-8, which callers escape before (see [Bound]), become
// U+FFFD. Control characters, line separators and invisible formatting characters
// are escaped, so that an entry stays one line and shows what it holds.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf && c != 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError && r >= 0xa0 && !invisible(r) {
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\r':
			b = append(b, '\\', 'r')
		case r == 0, r == utf8.RuneError:
			b = append(b, "\ufffd"...)
		default:
			b = appendEscape(b, r)
		}
		i += n
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// appendEscape appends r as JSON's \uXXXX, in two halves where it needs them.
func appendEscape(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return appendEscape(appendEscape(b, hi), lo)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// invisible reports whether r breaks lines or changes how the text around it is
// shown.
func invisible(r rune) bool {
	return r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r)
}

// marshalVisible encodes v as JSON in which control characters, line separators
// and invisible formatting characters are escaped as [AppendString] does.
func marshalVisible(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // or the stored bytes of changes would be altered
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeInvisible(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// escapeInvisible returns JSON with such characters escaped, b itself where it has none.
func escapeInvisible(b []byte) []byte {
	out := b[:0:0]
	start := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r < 0xa0 || invisible(r) {
			out = appendEscape(append(out, b[start:i]...), r)
			start = i + n
		}
		i += n
	}
	if start == 0 {
		return b
	}
	return append(out, b[start:]...)
}
