package chiaudit

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// Options are the settings of [Handler]. The zero value records every request
// with whatever actor and tenant the application sets by itself.
type Options struct {
	// Actor tells who sends a request from a credential in it, usually the
	// method Actor of a [JWT]. The zero Identity means that no credential was
	// presented; an error means that one was and is not valid: the entry then
	// carries the reason of the [AuthError] and nobody becomes the actor. It is
	// asked before the next handler runs and must be safe for concurrent use.
	// Where the request's context already knows an actor (see
	// [entaudit.WithActor]) it is asked only with TenantHeader, and for the tenant
	// alone. Where the Recorder's Config.Actor knows somebody, entries name that one.
	Actor func(*http.Request) (Identity, error)
	// Identify is for services that authenticate by themselves. It is asked
	// after Actor, where that found nobody, and reports false for nobody. It is
	// unsafe to take the actor from a header that clients can set.
	Identify func(*http.Request) (entaudit.Actor, bool)
	// TenantHeader names a header that holds the tenant, as a slug, a uuid or a
	// decimal number. Clients can set any header: it is unsafe unless the
	// application refuses, or a proxy in front replaces, a tenant that the
	// actor does not belong to. What the context or a verified token says about
	// the tenant wins over it. Blank means that no header is read.
	TenantHeader string
	// Tenants tell which tenant a request asks for, in order: see
	// [TenantFromSubdomain] and its like. TenantHeader comes before them. What the
	// context or a verified credential says wins; where the credential is for
	// another tenant the entry has the reason [ReasonTenantMismatch], and [Require]
	// refuses the request.
	Tenants []TenantFunc
	// Proxies says which proxies stand in front of the service.
	Proxies Proxies
	// NoRequestBody leaves request bodies out. Without it those of methods that
	// change something are recorded, all but GET, HEAD, OPTIONS and TRACE, as the
	// handler reads them: nothing is read ahead or drained. Values of masked names
	// are replaced in JSON and in forms; of everything else, of what is compressed and
	// of what is longer than MaxBody only the length is kept. It is metadata, called
	// request_body.
	NoRequestBody bool
	// ResponseBody has response bodies recorded in the same way, called
	// response_body. They hold personal data that nobody may have asked for.
	ResponseBody bool
	// MaxBody is how many bytes of a body are kept while it passes, in each
	// direction. Zero means [DefaultMaxBody].
	MaxBody int
	// Redact adds to what the Recorder masks, for path, query, bodies, headers and what
	// [Annotate] is given: names of fields that are encrypted before they are stored, for example.
	Redact entaudit.Redact
	// Headers are the names of request and response headers whose values are
	// recorded, as request_headers and response_headers in the metadata, and Host for
	// that of the request. Of all other headers only the names are. Clients write what
	// they like into theirs. Nil means that nothing is recorded of headers.
	Headers []string
	// Exclude says which requests leave no entry, in addition to those of
	// [DefaultExclude]. The first rule that leaves a request out decides.
	Exclude []Rule
	// NoDefaultExclude puts the rules of DefaultExclude out of force.
	NoDefaultExclude bool
	// SkipAnonymous leaves out requests of nobody in particular, as long as they only
	// read: GET, HEAD, OPTIONS and TRACE. Those that were denied, or had a credential
	// that is not valid, are recorded.
	SkipAnonymous bool
	// StreamOpenings has a request leave a further entry when its response becomes a
	// stream: the handler has taken over the connection, as for WebSocket, or begins to
	// send text/event-stream. It has the outcome unknown and the reason opened. The
	// request's own entry is written when its handler returns, which may be hours
	// later.
	StreamOpenings bool
	// Key is for the HMAC of bodies that are not recorded and of the names of
	// uploaded files, which tell to somebody who has it whether two are the same. It
	// has at least 32 bytes. Without it there is none.
	Key []byte
}

// fieldName is what RFC 9110 allows as the name of a header.
var fieldName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// credentialHeaders hold secrets, which must not become a tenant.
var credentialHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key"}

func (o Options) validate() error {
	if err := o.Proxies.validate(); err != nil {
		return err
	}
	if slices.ContainsFunc(o.Tenants, func(f TenantFunc) bool { return f == nil }) {
		return errors.New("chiaudit: Options.Tenants: one of them is nil")
	}
	switch name := o.TenantHeader; {
	case name == "":
		return nil
	case !fieldName.MatchString(name):
		return fmt.Errorf("chiaudit: Options.TenantHeader: %q is not a header name", name)
	case slices.Contains(credentialHeaders, http.CanonicalHeaderKey(name)):
		return fmt.Errorf("chiaudit: Options.TenantHeader: %s holds credentials", name)
	case http.CanonicalHeaderKey(name) == requestIDHeader:
		return fmt.Errorf("chiaudit: Options.TenantHeader: %s holds the request id", name)
	}
	return nil
}
