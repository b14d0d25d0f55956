package chiaudit

import (
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/entaudit/audit/entaudit"
)

// secretParams returns the values that a request has for the parameters of its route
// whose names are masked, as in /reset/{token}.
func (h *handler) secretParams(rctx *chi.Context) (secrets []string) {
	for i, name := range rctx.URLParams.Keys {
		if i < len(rctx.URLParams.Values) && rctx.URLParams.Values[i] != "" && h.mask.Name(name) {
			secrets = append(secrets, rctx.URLParams.Values[i])
		}
	}
	return secrets
}

// maskPath returns an escaped path without secrets, and without what is one by its
// form.
func (h *handler) maskPath(path string, secrets []string) (string, entaudit.Mark) {
	var how entaudit.Mark
	if len(secrets) > 0 {
		segments := strings.Split(path, "/")
		for _, s := range secrets {
			maskSegment(segments, s)
		}
		path, how = strings.Join(segments, "/"), entaudit.MarkRedacted
	}
	if strings.Contains(path, "%") {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			decoded, err := url.PathUnescape(s)
			if err != nil {
				continue
			}
			if _, found := h.mask.Text(decoded); found != "" {
				segments[i], how = entaudit.Redacted, found
			}
		}
		path = strings.Join(segments, "/")
	}
	path, found := h.mask.Text(path)
	if found != "" {
		how = found
	}
	return path, how
}

// maskSegment masks the segments that are a value, as the router had it or decoded,
// or else those that contain it.
func maskSegment(segments []string, value string) {
	matches := func(match func(segment, value string) bool) (found bool) {
		for i, s := range segments {
			decoded, err := url.PathUnescape(s)
			if match(s, value) || err == nil && match(decoded, value) {
				segments[i], found = entaudit.Redacted, true
			}
		}
		return found
	}
	if !matches(func(s, value string) bool { return s == value }) {
		matches(strings.Contains)
	}
}
