package entaudit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of an entry's text values, in bytes after escaping. The columns of the
// table are as wide.
const (
	LimitName      = 255 // names, ids, labels, actions, reasons
	LimitSlug      = 63
	LimitShort     = 64 // actor type, trace id, method, address
	LimitRequestID = 128
	LimitEmail     = 320
	LimitRoute     = 1024
	LimitUserAgent = 1024
	LimitPath      = 2048
	LimitQuery     = 2048
)

// finish makes the entry one that every store takes: it replaces what is not defined, and
// bounds and escapes every text value.
func (e *Entry) finish() {
	e.mend()
	if t := string(e.Actor.Type); utf8.ValidString(t) {
		e.Actor.Type = ActorType(strings.ToLower(strings.TrimSpace(t)))
	}
	for _, v := range []struct {
		path  string
		s     *string
		limit int
	}{
		{"service", &e.Service, LimitName},
		{"action", &e.Action, LimitName},
		{"reason", &e.Reason, LimitName},
		{"actor_id", &e.Actor.ID, LimitName},
		{"actor_type", (*string)(&e.Actor.Type), LimitShort},
		{"actor_email", &e.Actor.Email, LimitEmail},
		{"impersonator_id", &e.Actor.ImpersonatorID, LimitName},
		{"tenant_id", &e.Tenant.ID, LimitName},
		{"tenant_slug", &e.Tenant.Slug, LimitSlug},
		{"actor_tenant_id", &e.ActorTenantID, LimitName},
		{"resource_type", &e.Resource.Type, LimitName},
		{"resource_label", &e.Resource.Label, LimitName},
		{"resource_schema", &e.Resource.Schema, LimitName},
		{"request_id", &e.Request.ID, LimitRequestID},
		{"trace_id", &e.Request.TraceID, LimitShort},
		{"method", &e.Request.Method, LimitShort},
		{"path", &e.Request.Path, LimitPath},
		{"route", &e.Request.Route, LimitRoute},
		{"query", &e.Request.Query, LimitQuery},
		{"ip_address", &e.Request.IP, LimitShort},
		{"user_agent", &e.Request.UserAgent, LimitUserAgent},
	} {
		if plain(*v.s) && len(*v.s) <= v.limit {
			continue
		}
		s, m := Bound(*v.s, v.limit)
		*v.s = s
		e.mark(v.path, m)
	}
	if s := e.Resource.ID; !plain(s) || len(s) > LimitName {
		id, m := boundID(s)
		e.Resource.ID = id
		e.mark("resource_id", m)
	}
	for _, v := range []struct {
		path string
		n    *int
	}{{"tx_seq", &e.TxSeq}, {"status_code", &e.Request.StatusCode}} {
		if int64(int32(*v.n)) != int64(*v.n) { //nolint:gosec // whether it is lossless is the question
			*v.n = 0
			e.mark(v.path, MarkUnencodable)
		}
	}
	e.finishChain()
	e.finishMarks()
}

// finishMarks bounds the marks, whose paths hold names of a caller's choosing. Of
// too many the short paths are kept: they are about the entry and whole values.
func (e *Entry) finishMarks() {
	clean := len(e.Marks) <= maxMarks
	for path, m := range e.Marks {
		clean = clean && plain(path) && len(path) <= LimitPath && plain(string(m)) && len(m) <= LimitShort
	}
	if clean {
		return
	}
	paths := slices.SortedFunc(maps.Keys(e.Marks), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	marks := make(map[string]Mark, min(len(paths), maxMarks))
	if len(paths) > maxMarks {
		paths = paths[:maxMarks-1]
		marks["marks"] = MarkCut
	}
	for _, path := range paths {
		m, _ := Bound(string(e.Marks[path]), LimitShort)
		path, _ = Bound(path, LimitPath)
		marks[path] = Mark(m)
	}
	e.Marks = marks
}

// maxChain is how many actors behind an impersonator are kept.
const maxChain = 8

func (e *Entry) finishChain() {
	clean := len(e.Actor.Chain) <= maxChain
	for _, s := range e.Actor.Chain {
		clean = clean && plain(s) && len(s) <= LimitName
	}
	if clean {
		return
	}
	chain := e.Actor.Chain[:min(len(e.Actor.Chain), maxChain)]
	e.Actor.Chain = make([]string, len(chain))
	for i, s := range chain {
		e.Actor.Chain[i], _ = Bound(s, LimitName)
	}
	e.mark("actor_chain", MarkCut)
}

// plain reports whether every store takes s as it is.
func plain(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// Bound returns s fit to be stored in limit bytes, and how it was altered:
// [MarkCut] for the longest prefix of whole characters that fits, [MarkEscaped]
// where only NUL bytes or invalid UTF-8 were written as \xNN and backslashes
// doubled, "" where s is returned as it is. A prefix that has such bytes itself
// is escaped as well and has [MarkCut].
func Bound(s string, limit int) (string, Mark) {
	limit = max(limit, 0)
	if head := prefix(s, limit); plain(head) {
		if len(head) == len(s) {
			return s, ""
		}
		return head, MarkCut
	}
	t, ok := escape(s, limit)
	if !ok {
		return t, MarkCut
	}
	return t, MarkEscaped
}

// prefix returns the longest prefix of s that has at most limit bytes and does
// not end within a character.
func prefix(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for n := limit; n > 0 && n > limit-utf8.UTFMax; n-- {
		if !utf8.RuneStart(s[n]) {
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[n:]); n+size > limit {
			return s[:n]
		}
		break
	}
	return s[:limit]
}

// boundID returns a resource id fit to be stored. An id is never cut, since a
// cut id names another resource: what does not fit becomes its SHA-256.
func boundID(s string) (string, Mark) {
	if t, ok := escape(s, LimitName); ok {
		return t, MarkEscaped
	}
	h := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(h[:]), MarkHashed
}

// escape writes NUL bytes and bytes that are not UTF-8 as \xNN and doubles
// backslashes, so that the original can be told from the result. It stops, and
// reports false, before the first character that does not fit into limit bytes.
func escape(s string, limit int) (string, bool) {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		unit := s[i : i+n]
		switch {
		case r == 0, r == utf8.RuneError && n == 1:
			unit = string([]byte{'\\', 'x', digits[s[i]>>4], digits[s[i]&15]})
		case r == '\\':
			unit = `\\`
		}
		if b.Len()+len(unit) > limit {
			return b.String(), false
		}
		b.WriteString(unit)
		i += n
	}
	return b.String(), true
}
