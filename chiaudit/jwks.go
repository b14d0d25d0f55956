package chiaudit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"
)

// Defaults of [JWKS].
const (
	DefaultJWKSRefresh  = 5 * time.Minute
	DefaultJWKSMaxStale = 24 * time.Hour
)

const (
	minJWKSRefresh = time.Minute
	retryJWKS      = time.Minute     // after a fetch that failed
	askEvery       = 5 * time.Minute // how often tokens may have the set fetched
	maxAwait       = time.Second     // how long they may wait for it
)

// JWKS says where an issuer publishes its public keys as a JWK set, or holds the set
// itself. RSA from 2048 bits, the NIST curves and Ed25519 are supported. A token must
// name its key. Keys that are for something else, weak or secret are left out; the
// algorithm is the one that the key is for, else RS256 or the one of the curve.
type JWKS struct {
	// URL is where the set is, by https. It is fetched when the JWT is made, which
	// fails without it, and then in the background: within five seconds, up to one
	// megabyte, without following redirects. A token with an unknown key has it
	// fetched at once, no more than every five minutes.
	URL string
	// JSON is the set itself, instead of URL.
	JSON []byte
	// Refresh is how often the set is fetched, at least every minute. Zero means
	// DefaultJWKSRefresh.
	Refresh time.Duration
	// MaxStale is how long keys are used when the set can no longer be fetched.
	// Zero means DefaultJWKSMaxStale.
	MaxStale time.Duration
	// RootCAs verify the server of URL. Nil means those of the system.
	RootCAs *x509.CertPool
	// InsecureHTTP accepts http as well as https. Whoever sits on the way can then
	// sign tokens: it is for tests and for a set on the same machine.
	InsecureHTTP bool
}

func (k JWKS) zero() bool { return k.URL == "" && k.JSON == nil }

func (k JWKS) validate(field string) error {
	u, err := url.Parse(k.URL)
	switch {
	case k.JSON != nil && k.URL != "":
		return fmt.Errorf("chiaudit: %s.JSON: URL is set as well", field)
	case k.JSON != nil:
		return nil
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("chiaudit: %s.URL: is not the address of a key set", field)
	case u.Scheme != "https" && (u.Scheme != "http" || !k.InsecureHTTP):
		return fmt.Errorf("chiaudit: %s.URL: the scheme %q is not https", field, u.Scheme)
	case k.Refresh < minJWKSRefresh:
		return fmt.Errorf("chiaudit: %s.Refresh: %v is less than %v", field, k.Refresh, minJWKSRefresh)
	case k.MaxStale < k.Refresh:
		return fmt.Errorf("chiaudit: %s.MaxStale: %v is less than Refresh", field, k.MaxStale)
	}
	return nil
}

var (
	errNoKeyID    = errors.New("token does not name its key")
	errUnknownKey = errors.New("token names a key that is not in the set")
	errStale      = errors.New("the key set could not be fetched for too long")
)

// jwks is a key set that is kept up to date.
type jwks struct {
	fetch             func(context.Context) ([]byte, error)
	refresh, maxStale time.Duration // a set that is never fetched has no maxStale

	mu      sync.Mutex
	keys    map[string]verifyingKey
	sum     [sha256.Size]byte // of the document that holds keys
	changed uint64
	fetched time.Time
	asked   time.Time     // when a token has last had the set fetched
	pending chan struct{} // closed when that has happened, else nil

	wanted  chan struct{}
	cancel  context.CancelFunc
	stopped chan struct{}
}

// newJWKS fetches the set before it returns.
func newJWKS(ctx context.Context, k JWKS, field string) (*jwks, error) {
	field += ".JWKS"
	k.Refresh = cmp.Or(k.Refresh, DefaultJWKSRefresh)
	k.MaxStale = cmp.Or(k.MaxStale, DefaultJWKSMaxStale)
	if err := k.validate(field); err != nil {
		return nil, err
	}
	s := &jwks{refresh: k.Refresh, maxStale: k.MaxStale, wanted: make(chan struct{}, 1), stopped: make(chan struct{})}
	if k.JSON != nil {
		if err := s.take(bytes.Clone(k.JSON)); err != nil {
			return nil, fmt.Errorf("chiaudit: %s.JSON: %w", field, err)
		}
		s.maxStale, s.cancel = 0, func() {}
		close(s.stopped)
		return s, nil
	}
	s.fetch = newKeyFetcher(k)
	if err := s.update(ctx); err != nil {
		return nil, fmt.Errorf("chiaudit: %s.URL: %w", field, err)
	}
	s.start(ctx)
	return s, nil
}

// start keeps the set up to date until close.
func (s *jwks) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go s.run(ctx)
}

func (s *jwks) close(ctx context.Context) error {
	s.cancel()
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *jwks) version() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale() {
		return 0
	}
	return s.changed
}

func (s *jwks) stale() bool { return s.maxStale > 0 && time.Since(s.fetched) > s.maxStale }

func (s *jwks) key(ctx context.Context, id string) (verifyingKey, error) {
	if id == "" {
		return verifyingKey{}, errNoKeyID
	}
	k, err := s.lookup(id)
	if !errors.Is(err, errUnknownKey) || s.fetch == nil {
		return k, err
	}
	s.await(ctx)
	return s.lookup(id)
}

func (s *jwks) lookup(id string) (verifyingKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale() {
		return verifyingKey{}, errStale
	}
	if k, ok := s.keys[id]; ok {
		return k, nil
	}
	return verifyingKey{}, errUnknownKey
}

// await has the set fetched, unless that has been done a short while ago, and waits
// for it for as long as a request may be held up. That time begins with the fetch, so
// that none waits for one which hangs.
func (s *jwks) await(ctx context.Context) {
	s.mu.Lock()
	now := time.Now()
	if s.pending == nil && (s.asked.IsZero() || now.Sub(s.asked) >= askEvery) {
		s.asked, s.pending = now, make(chan struct{})
		select {
		case s.wanted <- struct{}{}:
		default:
		}
	}
	pending, left := s.pending, maxAwait-now.Sub(s.asked)
	s.mu.Unlock()
	if pending == nil || left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-pending:
	case <-timer.C:
	case <-s.stopped:
	case <-ctx.Done():
	}
}

func (s *jwks) run(ctx context.Context) {
	defer close(s.stopped)
	timer := time.NewTimer(s.refresh)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wanted:
		}
		next := s.refresh
		if err := s.update(ctx); err != nil && ctx.Err() == nil {
			next = min(next, retryJWKS)
			slog.WarnContext(ctx, "chiaudit: key set not fetched", "error", err)
		}
		s.settle()
		timer.Reset(next)
	}
}

// settle lets those go on who wait for a fetch.
func (s *jwks) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending != nil {
		close(s.pending)
		s.pending = nil
	}
}

// update fetches the set. Where that fails the keys stay.
func (s *jwks) update(ctx context.Context) error {
	data, err := s.fetch(ctx)
	if err != nil {
		return err
	}
	return s.take(data)
}

// take makes the keys of data the ones in force.
func (s *jwks) take(data []byte) error {
	sum := sha256.Sum256(data)
	s.mu.Lock()
	same := s.changed > 0 && sum == s.sum
	s.mu.Unlock()
	var keys map[string]verifyingKey
	if !same {
		var err error
		if keys, err = parseKeySet(data); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched = time.Now(); !same {
		s.keys, s.sum = keys, sum
		s.changed++
	}
	return nil
}
