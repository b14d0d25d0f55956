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
	masked := false
	for part := range strings.SplitSeq(raw, "&") {
		_, m := d.parameter(part)
		masked = masked || m != ""
	}
	if !masked {
		return raw, ""
	}
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		parts[i], _ = d.parameter(part)
	}
	return strings.Join(parts, "&"), MarkRedacted
}

// parameter is Query for one name with its value.
func (d *Redactor) parameter(part string) (string, Mark) {
	name, value, ok := strings.Cut(part, "=")
	decoded, err := url.QueryUnescape(name)
	text, valueErr := url.QueryUnescape(value)
	switch {
	case err != nil || valueErr != nil || strings.Contains(part, ";"):
		return fmt.Sprintf("%%5Bunparsed:%d%%5D", len(part)), MarkRedacted
	case d.found(decoded): // a query need not have names
		return Redacted, MarkRedacted
	case ok && value != "" && (d.Name(decoded) || d.found(text)):
		return name + "=" + Redacted, MarkRedacted
	}
	return part, ""
}

// found reports whether there is a secret in s.
func (d *Redactor) found(s string) bool {
	_, m := d.Text(s)
	return m != ""
}
