package chiaudit

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// ClientCertificate returns a Resolver for mutual TLS. It takes the certificate that
// the TLS server has verified, so that the server's ClientAuth must be
// tls.VerifyClientCertIfGiven or tls.RequireAndVerifyClientCert, and asks identify
// whose it is. A nil identify means a service whose id is the certificate's one URI,
// such as spiffe://example.org/billing, and without one its whole subject. A
// certificate that is not verified, or has expired since the connection was made,
// proves nothing. Headers in which proxies pass certificates on are not read.
func ClientCertificate(identify func(*x509.Certificate) (Identity, error)) Resolver {
	if identify == nil {
		identify = certified
	}
	return func(r *http.Request) (Identity, error) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return Identity{}, nil
		}
		c := r.TLS.PeerCertificates[0]
		fail := func(err error) (Identity, error) {
			sum := sha256.Sum256(c.Raw) // certificates are no secret
			return Identity{}, &AuthError{Reason: ReasonCertificateInvalid, Err: err, Fingerprint: hex.EncodeToString(sum[:16])}
		}
		if len(r.TLS.VerifiedChains) == 0 {
			return fail(errors.New("certificate is not verified"))
		}
		if now := time.Now(); now.After(c.NotAfter) || now.Before(c.NotBefore) {
			return fail(errors.New("certificate has expired or is not valid yet"))
		}
		id, err := identify(c)
		if err != nil {
			return fail(err)
		}
		return id, nil
	}
}

// certified returns the service that a certificate is for.
func certified(c *x509.Certificate) (Identity, error) {
	id := c.Subject.String()
	if len(c.URIs) == 1 {
		id = c.URIs[0].String()
	}
	if id == "" || len(c.URIs) > 1 || len(id) > entaudit.LimitName {
		return Identity{}, errors.New("certificate names nobody, several, or at great length")
	}
	return Identity{Actor: entaudit.Actor{ID: id, Type: entaudit.ActorService}}, nil
}
