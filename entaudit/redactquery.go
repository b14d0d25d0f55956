package entaudit

import (
	"fmt"
	"net/url"
	"strings"
)

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
