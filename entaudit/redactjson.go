package entaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// maxDepth is how deep nested values are followed; deeper ones are refused.
const maxDepth = 64

var errDepth = errors.New("nested too deep")

// JSON returns data, one JSON value, with the values of masked names and what
// [Redactor.Text] finds replaced, and calls mark with the path of each. Key order, duplicates and the digits of
// numbers are kept. It fails on what is not one JSON value.
func (d *Redactor) JSON(data []byte, mark func(path string, m Mark)) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	j := jsonRedactor{dec: dec, d: d, out: make([]byte, 0, len(data)), mark: mark}
	if err := j.value("", 0); err != nil {
		return nil, fmt.Errorf("entaudit: redact JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("entaudit: redact JSON: more than one value")
	}
	return j.out, nil
}

type jsonRedactor struct {
	dec  *json.Decoder
	d    *Redactor
	out  []byte
	mark func(string, Mark)
}

// value copies one value from the decoder to out.
func (j *jsonRedactor) value(path string, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	t, err := j.dec.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return j.object(path, depth)
		}
		return j.array(path, depth)
	case string:
		j.out = AppendString(j.out, j.text(path, t))
	case json.Number:
		if s := j.text(path, t.String()); s != t.String() {
			j.out = AppendString(j.out, s)
		} else {
			j.out = append(j.out, t...)
		}
	case bool:
		j.out = fmt.Appendf(j.out, "%t", t)
	case nil:
		j.out = append(j.out, "null"...)
	}
	return nil
}

// text returns what may be kept of the text at path.
func (j *jsonRedactor) text(path, s string) string {
	s, m := j.d.Text(s)
	if m != "" && j.mark != nil {
		j.mark(path, m)
	}
	return s
}

func (j *jsonRedactor) object(path string, depth int) error {
	j.out = append(j.out, '{')
	for first := true; j.dec.More(); first = false {
		if !first {
			j.out = append(j.out, ',')
		}
		t, err := j.dec.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		j.out = append(AppendString(j.out, name), ':')
		sub := joinPath(path, name)
		if !j.d.Name(name) {
			if err := j.value(sub, depth+1); err != nil {
				return err
			}
			continue
		}
		var raw json.RawMessage
		if err := j.dec.Decode(&raw); err != nil {
			return err
		}
		if string(raw) == "null" || string(raw) == `""` {
			j.out = append(j.out, raw...)
			continue
		}
		j.out = AppendString(j.out, Redacted)
		if j.mark != nil {
			j.mark(sub, MarkRedacted)
		}
	}
	j.out = append(j.out, '}')
	_, err := j.dec.Token()
	return err
}

func (j *jsonRedactor) array(path string, depth int) error {
	j.out = append(j.out, '[')
	for i := 0; j.dec.More(); i++ {
		if i > 0 {
			j.out = append(j.out, ',')
		}
		if err := j.value(prefix(fmt.Sprintf("%s[%d]", path, i), maxPath), depth+1); err != nil {
			return err
		}
	}
	j.out = append(j.out, ']')
	_, err := j.dec.Token()
	return err
}

// Query returns a raw URL query with the values of masked parameters, and those in
// which [Redactor.Text] finds something, replaced. Order and duplicates are kept. What cannot be decoded is replaced by its
// length.
func (d *Redactor) Query(raw string) (string, Mark) {
	if raw == "" {
		return "", ""
	}
	var mark Mark
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		decoded, err := url.QueryUnescape(name)
		text, valueErr := url.QueryUnescape(value)
		switch {
		case err != nil || valueErr != nil || strings.Contains(part, ";"):
			parts[i] = fmt.Sprintf("%%5Bunparsed:%d%%5D", len(part))
			mark = MarkRedacted
		case ok && value != "" && (d.Name(decoded) || d.found(text)):
			parts[i] = name + "=" + Redacted
			mark = MarkRedacted
		case d.found(decoded): // a query need not have names
			parts[i] = Redacted
			mark = MarkRedacted
		}
	}
	return strings.Join(parts, "&"), mark
}

// found reports whether there is a secret in s.
func (d *Redactor) found(s string) bool {
	_, m := d.Text(s)
	return m != ""
}
