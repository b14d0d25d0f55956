package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Defaults of [Config].
const (
	DefaultTimeout    = 10 * time.Second
	DefaultMaxBytes   = 1 << 20
	DefaultMaxEntries = 1000
)

// MinSecret is how many bytes a secret has at least, as the scheme says; it recommends 64
// at most, and libraries make secrets of 24 or 32.
const MinSecret = 24

// Format is the form of a request's body.
type Format string

// Formats of bodies.
const (
	Array  Format = ""       // one JSON array, application/json
	NDJSON Format = "ndjson" // one JSON object a line, application/x-ndjson
)

func (f Format) mediaType() string {
	if f == NDJSON {
		return "application/x-ndjson"
	}
	return "application/json"
}

// Config holds the settings of a [Writer]. URL and Secrets are required.
type Config struct {
	// URL is where entries are posted to. It has to be https, and holds no password:
	// signatures say who sends.
	URL string
	// Secrets sign every request, each of them: to change the secret, add the new one,
	// have the receiver take it, and remove the old one. Each has at least MinSecret bytes
	// from a cryptographic source. [ParseSecret] reads the form that starts with whsec_.
	Secrets [][]byte
	// Format is the form of a request's body. Zero is a JSON array.
	Format Format
	// Header is sent with every request besides the writer's own.
	Header http.Header
	// Timeout bounds a request and its answer. Zero means DefaultTimeout.
	Timeout time.Duration
	// MaxBytes is the size of a body above which entries are divided among several
	// requests; a single larger entry is sent by itself. Zero means DefaultMaxBytes.
	MaxBytes int
	// MaxEntries is how many entries a request has at most. Zero means DefaultMaxEntries.
	MaxEntries int
	// Transport sends the requests. Nil means one like http.DefaultTransport.
	Transport http.RoundTripper
	// InsecureHTTP allows a URL that is not https. Whoever can listen on the way reads
	// every entry then; it is meant for tests and for proxies on the same host.
	InsecureHTTP bool
}

func (c Config) withDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.MaxEntries = cmp.Or(c.MaxEntries, DefaultMaxEntries)
	c.Header = c.Header.Clone()
	secrets := make([][]byte, len(c.Secrets))
	for i, s := range c.Secrets {
		secrets[i] = slices.Clone(s)
	}
	c.Secrets = secrets
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
		if t, ok := c.Transport.(*http.Transport); ok {
			c.Transport = t.Clone()
		}
	}
	return c
}

// Validate returns an error that names the field that is wrong, as New does.
func (c Config) Validate() error { return c.withDefaults().validate() }

// validate checks settings with defaults filled in. Its errors do not repeat the URL or a
// secret.
func (c Config) validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return errors.New("webhook: Config.URL: not an absolute URL")
	case u.User != nil:
		return errors.New("webhook: Config.URL: holds a user or password")
	case u.Scheme != "https" && (u.Scheme != "http" || !c.InsecureHTTP):
		return errors.New("webhook: Config.URL: not https (see InsecureHTTP)")
	case len(c.Secrets) == 0:
		return errors.New("webhook: Config.Secrets: there is none")
	case c.Format != Array && c.Format != NDJSON:
		return fmt.Errorf("webhook: Config.Format: %q is not a format", c.Format)
	case c.Timeout < 0:
		return fmt.Errorf("webhook: Config.Timeout: %v is negative", c.Timeout)
	case c.MaxBytes < 0:
		return fmt.Errorf("webhook: Config.MaxBytes: %d is negative", c.MaxBytes)
	case c.MaxEntries < 0:
		return fmt.Errorf("webhook: Config.MaxEntries: %d is negative", c.MaxEntries)
	}
	for i, s := range c.Secrets {
		if err := checkSecret(s); err != nil {
			return fmt.Errorf("webhook: Config.Secrets[%d]: %w", i, err)
		}
	}
	return nil
}
