package chiaudit

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/entaudit/audit/entaudit"
)

// Limits of the headers in an entry. A server takes a megabyte of them.
const (
	maxHeaders    = 64
	maxHeaderName = 128
	maxHeader     = 1024
)

// headerNames are those whose values are recorded, nil where no headers are.
type headerNames map[string]bool

func newHeaderNames(list []string, mask *entaudit.Redactor) (headerNames, error) {
	if list == nil {
		return nil, nil
	}
	names := make(headerNames, len(list))
	for _, name := range list {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !fieldName.MatchString(name):
			return nil, fmt.Errorf("chiaudit: Options.Headers: %q is not a header name", name)
		case slices.Contains(credentialHeaders, canonical), mask.Name(name):
			return nil, fmt.Errorf("chiaudit: Options.Headers: %s holds secrets", name)
		}
		names[canonical] = true
	}
	return names, nil
}

// describe returns what an entry says of headers: the values of those on the list,
// and of all others that they were there.
func (n headerNames) describe(header http.Header, mask *entaudit.Redactor, mark marker) map[string]any {
	values := make(map[string]any)
	var others []any
	for _, name := range slices.Sorted(maps.Keys(header)) {
		switch {
		case len(values)+len(others) == maxHeaders:
			mark("others", entaudit.MarkCut)
			return map[string]any{"values": values, "others": others}
		case n[name]:
			v, link := maskLinks(strings.Join(header[name], ", "), mask)
			v, masked := mask.Text(v) // before it is cut: half a token looks like none
			v, cut := entaudit.Bound(v, maxHeader)
			values[name] = v
			if how := cmp.Or(masked, link, cut); how != "" {
				mark("values."+name, how)
			}
		default:
			name, _ := entaudit.Bound(name, maxHeaderName)
			others = append(others, name)
		}
	}
	return map[string]any{"values": values, "others": others}
}

// maskLinks masks what follows the question marks and number signs of a header's
// value as the query that it is in a link. Referer and Location carry tokens there.
func maskLinks(value string, mask *entaudit.Redactor) (string, entaudit.Mark) {
	var b strings.Builder
	var how entaudit.Mark
	for {
		i := strings.IndexAny(value, "?#")
		if i < 0 {
			return b.String() + value, how
		}
		b.WriteString(value[:i+1])
		value = value[i+1:]
		end := strings.IndexAny(value, "?# ,>\"")
		if end < 0 {
			end = len(value)
		}
		query, m := mask.Query(value[:end])
		if m != "" {
			how = m
		}
		b.WriteString(query)
		value = value[end:]
	}
}

// headers adds the headers of a request or a response to the entry. It looks at
// them at once: middleware further in may alter them.
func (c *capture) headers(name string, header http.Header, host string) {
	if c.h.headers == nil {
		return
	}
	d := c.h.headers.describe(header, c.h.mask, func(path string, how entaudit.Mark) { c.mark("metadata."+name+"."+path, how) })
	if c.h.headers["Host"] && host != "" {
		d["values"].(map[string]any)["Host"], _ = entaudit.Bound(host, maxHeaderName)
	}
	c.note(name, d)
}
