package chiaudit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/entaudit/audit/entaudit"
)

// unparsed is the name of what has no name that could tell whether it is secret.
const unparsed = "[unparsed]"

// maxParts is how many values of a form are looked at.
const maxParts = 1000

// fields are the values of a form on their way to a JSON object, which is then
// masked as every other one is: names decide, and values that are JSON are
// followed.
type fields struct {
	names  []string // in order of appearance
	values map[string][]json.RawMessage
	count  int
}

func (f *fields) add(name string, value json.RawMessage) {
	if f.values == nil {
		f.values = make(map[string][]json.RawMessage)
	}
	if f.values[name] == nil {
		f.names = append(f.names, name)
	}
	f.values[name] = append(f.values[name], value)
	f.count++
}

// object returns the fields as JSON: the value of a name that comes once, an
// array of those of one that comes several times.
func (f *fields) object() json.RawMessage {
	b := []byte{'{'}
	for i, name := range f.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(entaudit.AppendString(b, name), ':')
		values := f.values[name]
		if len(values) == 1 {
			b = append(b, values[0]...)
			continue
		}
		for j, v := range values {
			b = append(append(b, "[,"[min(j, 1)]), v...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// named reports whether name can be the name of a field.
func named(name string) bool {
	return name != "" && len(name) <= entaudit.LimitName && utf8.ValidString(name)
}

// length stands for a value that cannot be told to be harmless.
func length(n int) json.RawMessage {
	return append(strconv.AppendInt([]byte(`{"unparsed":`), int64(n), 10), '}')
}

// fieldValue returns a value of a form as JSON: what it holds where it is JSON
// itself, which has names of its own.
func fieldValue(s string) json.RawMessage {
	switch {
	case !utf8.ValidString(s):
		return length(len(s))
	case !structured([]byte(s)):
		return entaudit.AppendString(nil, s)
	case json.Valid([]byte(s)):
		return json.RawMessage(s)
	}
	return length(len(s))
}

// formObject returns the pairs of a form as a JSON object.
func formObject(data string) (json.RawMessage, bool) {
	var f fields
	for pair := range strings.SplitSeq(data, "&") {
		if pair == "" {
			continue
		}
		if f.count == maxParts {
			return nil, false
		}
		name, value, ok := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		decoded, valueErr := url.QueryUnescape(value)
		if !ok || err != nil || valueErr != nil || !named(name) || strings.Contains(pair, ";") {
			// net/http refuses semicolons, others separate pairs at them.
			f.add(unparsed, length(len(pair)))
			continue
		}
		f.add(name, fieldValue(decoded))
	}
	return f.object(), true
}

// multipartObject returns the parts of a form as a JSON object, files as their
// size and hashes, and whether all of them are there. A part that is cut off is
// told by its length.
func multipartObject(data []byte, boundary string, key []byte) (object json.RawMessage, whole, ok bool) {
	var f fields
	r := multipart.NewReader(bytes.NewReader(data), boundary)
	for {
		p, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // as the reader returns it
			return f.object(), true, true
		}
		if err != nil || f.count == maxParts {
			return f.object(), false, f.count > 0
		}
		name := p.FormName()
		if !named(name) {
			name = unparsed
		}
		content, err := io.ReadAll(p)
		switch {
		case err != nil:
			f.add(name, length(len(content)))
			return f.object(), false, true
		case name == unparsed:
			f.add(name, length(len(content)))
		case isFile(p, content):
			f.add(name, fileObject(p, content, key))
		default:
			f.add(name, fieldValue(string(content)))
		}
	}
}

// isFile reports whether a part is one to net/http, but for JSON without a file
// name, which has names of its own.
func isFile(p *multipart.Part, content []byte) bool {
	return p.FileName() != "" || p.Header.Get("Content-Type") != "" && !structured(content)
}

// fileObject tells of a file what identifies it to somebody who has it. Its name
// is short enough to be guessed from a plain hash.
func fileObject(p *multipart.Part, content, key []byte) json.RawMessage {
	sum := sha256.Sum256(content)
	b := strconv.AppendInt([]byte(`{"size":`), int64(len(content)), 10)
	b = append(append(append(b, `,"sha256":"`...), hex.EncodeToString(sum[:])...), '"')
	if name := p.FileName(); name != "" && len(key) > 0 {
		b = append(append(append(b, `,"name_hmac":"`...), mac(key, []byte(name))...), '"')
	}
	return append(b, '}')
}

// mac returns the HMAC of data as text.
func mac(key, data []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write(data) // never fails
	return hex.EncodeToString(h.Sum(nil))
}

// structured reports whether data begins as a JSON object or array does.
func structured(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}
