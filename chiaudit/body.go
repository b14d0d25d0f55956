package chiaudit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/entaudit/audit/entaudit"
)

// DefaultMaxBody is how many bytes of a body are recorded where Options.MaxBody
// is not set.
const DefaultMaxBody = 10_000

// Where bodies are in an entry's metadata. An object holds size, the bytes that
// passed; media_type; body, masked, or the reason why it is not there and, with
// Options.Key, the hmac of what was kept of it; and captured, how much that is
// where it is not all of it.
const (
	requestBodyName  = "request_body"
	responseBodyName = "response_body"
)

// Reasons why a body is not recorded.
const (
	bodyEncoded    = "encoded"    // compressed: it is never decompressed
	bodyTruncated  = "truncated"  // longer than what is kept, and may end within a secret
	bodyPartial    = "partial"    // the handler did not read all of it
	bodyUnread     = "unread"     // the handler read nothing of it
	bodyMediaType  = "media_type" // of no kind that can be masked
	bodyUnparsable = "unparsable" // not what it says it is, nested too deep, or of too many parts
	bodyUnnamed    = "unnamed"    // one value without a name that could tell whether it is secret
	bodyBroken     = "broken"     // what masks it failed
)

// changing reports whether requests of a method are meant to change something.
func changing(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

// wrap returns r under c, and with a body that is noted as it is read.
func (c *capture) wrap(r *http.Request) *http.Request {
	q := r.WithContext(c)
	c.headers("request_headers", r.Header, r.Host)
	if r.Method != http.MethodHead { // whose body nobody sees
		c.tracker.out.keep(c.h.outBody)
	}
	if r.Body == nil || r.Body == http.NoBody {
		return q
	}
	c.in.ReadCloser, q.Body = r.Body, &c.in
	c.announced = r.ContentLength
	// Copied now, since a middleware that decompresses removes it.
	c.media = mediaOf(r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"))
	if changing(r.Method) {
		c.in.head.keep(c.h.inBody)
	}
	return q
}

// bodies adds what is to be recorded of the bodies. It stops keeping them.
func (c *capture) bodies() {
	in, out := c.in.head.stop(), c.tracker.out.stop()
	if in.kept && (in.size > 0 || c.announced != 0) {
		whole := in.ended || in.size == c.announced
		c.body(requestBodyName, in, whole, c.media)
	}
	if out.kept && out.size > 0 {
		c.body(responseBodyName, out, true, c.tracker.media)
	}
}

// body puts a body into the metadata, which is the one place that knows where
// bodies are kept. What is marked while a body is read holds only where it turns out
// to be one that is recorded.
func (c *capture) body(name string, s sample, whole bool, m media) {
	var marks map[string]entaudit.Mark
	d := c.h.describe(s, whole, m, func(path string, how entaudit.Mark) {
		if marks == nil {
			marks = make(map[string]entaudit.Mark)
		}
		marks[path] = how
	})
	c.note(name, d)
	if _, recorded := d["body"]; !recorded {
		return
	}
	for path, how := range marks {
		if path != "" {
			path = "." + path
		}
		c.mark("metadata."+name+".body"+path, how)
	}
}

// marker is told which values are not verbatim, by their paths in the body.
type marker func(path string, how entaudit.Mark)

// describe returns what an entry says of a body.
func (h *handler) describe(s sample, whole bool, m media, mark marker) map[string]any {
	d := map[string]any{"size": s.size}
	if m.name != "" {
		d["media_type"], _ = entaudit.Bound(m.name, entaudit.LimitName)
	}
	body, reason := h.masked(s, whole, m, mark)
	if body != nil {
		d["body"] = body
	}
	if reason == "" {
		return d
	}
	d["reason"] = reason
	if n := len(s.data); int64(n) < s.size {
		d["captured"] = n
	}
	if len(h.opts.Key) > 0 && len(s.data) > 0 {
		d["hmac"] = mac(h.opts.Key, s.data)
	}
	return d
}

// masked returns the body as JSON without its secrets, and why it is not there
// or not all of it is.
func (h *handler) masked(s sample, whole bool, m media, mark marker) (body json.RawMessage, reason string) {
	defer func() {
		if p := recover(); p != nil {
			h.failures.log(context.Background(), fmt.Errorf("chiaudit: panic of type %T while masking a body", p))
			body, reason = nil, bodyBroken
		}
	}()
	truncated := int64(len(s.data)) < s.size
	switch {
	case s.size == 0:
		return nil, bodyUnread
	case m.encoding != "":
		return nil, bodyEncoded
	case s.missed:
		return nil, bodyTruncated // at its beginning, so that names may be missing
	case m.kind == kindMultipart:
		return h.multipart(s.data, truncated, whole, m, mark)
	case truncated:
		return nil, bodyTruncated
	}
	var ok bool
	switch looks := structured(s.data); {
	case !looks && m.kind == kindJSON:
		return nil, bodyUnnamed
	case !looks && m.kind == kindForm && !whole:
		return nil, bodyPartial
	case !looks && m.kind == kindForm:
		// What looks like JSON is, whatever curl calls it.
		if body, ok = formObject(string(s.data)); !ok {
			return nil, bodyUnparsable
		}
	case !looks:
		return nil, bodyMediaType
	case !utf8.Valid(s.data):
		return nil, bodyUnparsable
	default:
		body = s.data
	}
	body, err := h.mask.JSON(body, mark)
	switch {
	case err == nil:
		return body, ""
	case !whole:
		return nil, bodyPartial
	}
	return nil, bodyUnparsable
}

func (h *handler) multipart(data []byte, truncated, whole bool, m media, mark marker) (json.RawMessage, string) {
	object, complete, ok := multipartObject(data, m.boundary, h.opts.Key)
	if !ok {
		return nil, bodyUnparsable
	}
	body, err := h.mask.JSON(object, mark)
	switch {
	case err != nil:
		return nil, bodyUnparsable
	case truncated:
		return body, bodyTruncated
	case !whole && !complete:
		return body, bodyPartial
	case !complete:
		return body, bodyUnparsable
	}
	return body, ""
}
