package auditenv

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// discard is a writer for checks, which write nothing.
func discard() entaudit.Writer {
	return entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil })
}

// check has each package check its settings, so that there is one place where it is
// said what is right.
func (s *Settings) check() error {
	if err := s.checkDelivery(); err != nil { // whose outbox is the Recorder's table
		return err
	}
	cfg := s.Recorder
	cfg.Writer, cfg.Off, cfg.NoChanges = discard(), false, false
	rec, err := entaudit.New(cfg)
	if err != nil {
		return named(err)
	}
	if err := s.checkQueue(); err != nil {
		return err
	}
	if err := handles(rec, s.Handler); err != nil {
		return named(err)
	}
	if s.HasAPIKeys() {
		if _, err := chiaudit.NewAPIKeys(s.APIKeys); err != nil {
			return named(err)
		}
	}
	return s.checkJWT()
}

// checkQueue checks the queue and its spool. No folder is opened here.
func (s *Settings) checkQueue() error {
	cfg := s.Queue
	if s.Spool.Dir != "" {
		if err := s.Spool.Validate(); err != nil {
			return named(err)
		}
		cfg.Spool = unopened{}
	}
	if s.Dead.Dir != "" && s.Dead.Dir == s.Spool.Dir {
		return errors.New("auditenv: AUDIT_DEAD_LETTER_DIR: is that of the spool")
	}
	if err := cfg.Validate(); err != nil {
		return named(err)
	}
	return nil
}

// unopened stands for the spool.
type unopened struct{ queue.Spool }

// handles returns what a Handler with such options panics with.
func handles(rec *entaudit.Recorder, opts chiaudit.Options) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	chiaudit.Handler(rec, opts)
	return nil
}

// checkJWT checks how tokens are verified. A key set is not fetched here: a random key
// stands for it.
func (s *Settings) checkJWT() error {
	c := s.JWT
	if !s.HasJWT() {
		return nil
	}
	if c.JWKS.URL != "" {
		if c.Secret != nil || c.PublicKey != nil || c.JWKS.JSON != nil {
			return errors.New("auditenv: AUDIT_JWT_JWKS_URL: AUDIT_JWT_SECRET, AUDIT_JWT_PUBLIC_KEY or AUDIT_JWT_JWKS is set as well; one of them decides")
		}
		if err := checkKeySet("AUDIT_JWT_JWKS_URL", c.JWKS); err != nil {
			return err
		}
		c.JWKS, c.Secret = chiaudit.JWKS{}, random()
	}
	c.Issuers = slices.Clone(c.Issuers)
	for n := range c.Issuers {
		i := &c.Issuers[n]
		if i.JWKS.URL == "" || i.Secret != nil || i.PublicKey != nil {
			continue
		}
		if err := checkKeySet("AUDIT_JWT_ISSUERS", i.JWKS); err != nil {
			return err
		}
		i.JWKS, i.Secret = chiaudit.JWKS{}, random()
	}
	j, err := chiaudit.NewJWT(context.Background(), c)
	if err != nil {
		return named(err)
	}
	return j.Close(context.Background())
}

func random() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

// checkKeySet checks what can be said of a key set before it is fetched.
func checkKeySet(name string, k chiaudit.JWKS) error {
	refresh, stale := cmp.Or(k.Refresh, chiaudit.DefaultJWKSRefresh), cmp.Or(k.MaxStale, chiaudit.DefaultJWKSMaxStale)
	switch u, err := url.Parse(k.URL); {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("auditenv: %s: has an address that is not an https URL without a password", name)
	case refresh < time.Minute:
		return errors.New("auditenv: AUDIT_JWT_JWKS_REFRESH: is less than a minute")
	case stale < refresh:
		return errors.New("auditenv: AUDIT_JWT_JWKS_MAX_STALE: is less than the time between two fetches")
	}
	return nil
}

// named puts the name of the variable in front of an error of a package that names the
// Go field.
func named(err error) error {
	best := Variable{}
	for _, v := range Variables() {
		if v.sets != "" && strings.HasPrefix(err.Error(), v.sets) && len(v.sets) > len(best.sets) {
			best = v
		}
	}
	if best.Name == "" {
		return fmt.Errorf("auditenv: %w", err)
	}
	return fmt.Errorf("auditenv: %s: %w", best.Name, err)
}
