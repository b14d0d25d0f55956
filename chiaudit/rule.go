package chiaudit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Rule says which requests leave no entry. A request has to match all of its
// fields that are set. Requests that were denied, and those with a credential that
// is not valid, leave their entry whatever the rules say, and changes that a request
// makes are recorded in any case.
//
// A path is compared as entries have it, escaped. One with empty, dot or encoded
// segments matches neither Prefix nor Glob: what it leads to is for the application
// to decide, and must not be hidden by how a client writes it.
type Rule struct {
	Path    string   // exactly: "/health" matches neither "/health/" nor "/health/live"
	Prefix  string   // by whole segments: "/health" matches "/health/live" and not "/health-admin"
	Glob    string   // "*" and "?" within a segment, "**" for any number of them: "/assets/**", "/*/ping"
	Route   string   // the router's pattern as entries have it: "/users/{id}"
	Methods []string // any of them
	Status  []int    // any of them, as the client saw it
	// Keep is the share of the matching requests, from 0 to 1, that is recorded all
	// the same, chosen at random: 0.1 is every tenth. Only requests that succeeded
	// are left out by chance, unless Status says which. The share is on the entries
	// that are kept, as sample in the metadata.
	Keep float64
}

// DefaultExclude returns the rules that are in force unless Options.NoDefaultExclude
// is set: GET and HEAD of exactly /health, /metrics, /docs, /openapi.json and /redoc.
func DefaultExclude() []Rule {
	var rules []Rule
	for _, path := range []string{"/health", "/metrics", "/docs", "/openapi.json", "/redoc"} {
		rules = append(rules, Rule{Path: path, Methods: []string{http.MethodGet, http.MethodHead}})
	}
	return rules
}

// validate returns an error that names the field of the rule called name.
func (r *Rule) validate(name string) error {
	for _, p := range []struct{ field, path string }{{"Path", r.Path}, {"Prefix", r.Prefix}, {"Glob", r.Glob}, {"Route", r.Route}} {
		if p.path != "" && p.path[0] != '/' {
			return fmt.Errorf("%s.%s: %q does not begin with a slash", name, p.field, p.path)
		}
	}
	for _, m := range r.Methods {
		if m == "" || m != strings.ToUpper(m) {
			return fmt.Errorf("%s.Methods: %q is not a method in upper case", name, m)
		}
	}
	for _, s := range r.Status {
		if s < 100 || s > 599 {
			return fmt.Errorf("%s.Status: %d is not a status", name, s)
		}
	}
	switch {
	case strings.ContainsAny(r.Glob, "[]{}"):
		return fmt.Errorf("%s.Glob: %q has brackets or braces, which mean nothing in it", name, r.Glob)
	case !(r.Keep >= 0 && r.Keep < 1): // NaN is not either
		return fmt.Errorf("%s.Keep: %v is not from 0 to below 1", name, r.Keep)
	case r.Keep == 0 && r.Path+r.Prefix+r.Glob+r.Route == "" && len(r.Methods)+len(r.Status) == 0:
		return errors.New(name + ": is blank and would match every request")
	}
	return nil
}

// rule is a Rule in the form that requests need.
type rule struct {
	Rule
	glob *regexp.Regexp
}

func newRules(list []Rule) ([]rule, error) {
	var rules []rule
	for i, r := range list {
		if err := r.validate(fmt.Sprintf("chiaudit: Options.Exclude[%d]", i)); err != nil {
			return nil, err
		}
		r.Methods, r.Status = slices.Clone(r.Methods), slices.Clone(r.Status)
		r.Prefix = strings.TrimRight(r.Prefix, "/") + "/"[:min(len(r.Prefix), 1)]
		c := rule{Rule: r}
		if r.Glob != "" {
			c.glob = globExpr(r.Glob)
		}
		rules = append(rules, c)
	}
	return rules, nil
}

// globExpr returns a glob as a regular expression, which takes linear time
// whatever a client sends.
func globExpr(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for rest := glob; rest != ""; {
		switch {
		case rest == "/**":
			b.WriteString(`(?:/.*)?`)
			rest = ""
		case strings.HasPrefix(rest, "/**/"):
			b.WriteString(`(?:/.*)?`)
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString(`[^/]`)
			rest = rest[1:]
		default:
			n := strings.IndexAny(rest[1:], "/*?") + 1
			if n == 0 {
				n = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			rest = rest[n:]
		}
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}

// straight reports whether a path leads where it reads: nothing in it is empty, a
// dot segment or an encoded slash.
func straight(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil || strings.Count(decoded, "/") != strings.Count(path, "/") || strings.Contains(decoded, `\`) {
		return false
	}
	segments := strings.Split(strings.TrimSuffix(decoded, "/"), "/")
	return len(segments) > 0 && !slices.ContainsFunc(segments[1:], func(s string) bool { return s == "" || s == "." || s == ".." })
}

// matches reports whether an entry is of a request that the rule is about.
func (r *rule) matches(method, path string, e *entaudit.Entry) bool {
	switch {
	case len(r.Methods) > 0 && !slices.Contains(r.Methods, method),
		len(r.Status) > 0 && !slices.Contains(r.Status, e.Request.StatusCode),
		r.Route != "" && r.Route != e.Request.Route,
		r.Path != "" && r.Path != path:
		return false
	case r.Prefix == "" && r.glob == nil:
		return true
	case !straight(path):
		return false
	}
	return strings.HasPrefix(strings.TrimSuffix(path, "/")+"/", r.Prefix) && (r.glob == nil || r.glob.MatchString(path))
}

// keeps reports whether an entry is among the share that is recorded. The dice are
// in its id, which no client has any influence on.
func (r *rule) keeps(id uuid.UUID) bool {
	const bits = 62 // of chance, behind the variant
	chance := float64(binary.BigEndian.Uint64(id[8:])&(1<<bits-1)) / (1 << bits)
	return chance < r.Keep
}
