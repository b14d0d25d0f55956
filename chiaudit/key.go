package chiaudit

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

const (
	minSecret = 32 // bytes: as long as the output of HS256
	minRSA    = 2048
)

// verifyingKey is a key together with the only algorithm it is used for.
type verifyingKey struct {
	algorithm string
	key       any
}

// newVerifyingKey returns a copy of the secret or the public key of i.
func newVerifyingKey(i JWTIssuer, field string) (verifyingKey, error) {
	if i.PublicKey != nil {
		return newPublicKey(i.PublicKey, field)
	}
	if err := checkSecret(i.Secret); err != nil {
		return verifyingKey{}, fmt.Errorf("chiaudit: %s.Secret: %w", field, err)
	}
	return verifyingKey{jwt.SigningMethodHS256.Alg(), bytes.Clone(i.Secret)}, nil
}

// checkSecret refuses what can be guessed or is known to others.
func checkSecret(secret []byte) error {
	switch {
	case len(secret) < minSecret:
		return fmt.Errorf("%d bytes are too short, %d are needed", len(secret), minSecret)
	case bytes.Count(secret, secret[:1]) == len(secret):
		return errors.New("all bytes are the same")
	case bytes.Contains(secret, []byte("-----BEGIN ")), bytes.HasPrefix(secret, []byte("ssh-")),
		bytes.HasPrefix(secret, []byte("ecdsa-")), bytes.Contains(secret, []byte(`"kty"`)):
		return errors.New("is a key in a text format, not a shared secret; set PublicKey")
	}
	if published(secret) {
		return errors.New("is a public key or a certificate; set PublicKey")
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if der, err := encoding.DecodeString(string(bytes.TrimSpace(secret))); err == nil && published(der) {
			return errors.New("is a public key or a certificate in base64; set PublicKey")
		}
	}
	return nil
}

// published reports whether der is something that is made to be given away.
func published(der []byte) bool {
	_, pkix := x509.ParsePKIXPublicKey(der)
	_, pkcs1 := x509.ParsePKCS1PublicKey(der)
	_, certificate := x509.ParseCertificate(der)
	_, request := x509.ParseCertificateRequest(der)
	return pkix == nil || pkcs1 == nil || certificate == nil || request == nil
}

// newPublicKey returns a copy of a public key that is strong enough.
func newPublicKey(key any, field string) (verifyingKey, error) {
	wrong := func(format string, args ...any) (verifyingKey, error) {
		return verifyingKey{}, fmt.Errorf("chiaudit: "+field+".PublicKey: "+format, args...)
	}
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	case interface{ Public() crypto.PublicKey }:
		return wrong("%T is a private key, which has no place here", key)
	default:
		return wrong("%T is neither *rsa.PublicKey nor *ecdsa.PublicKey", key)
	}
	der, err := marshalKey(key)
	if err != nil {
		return wrong("%w", err)
	}
	copied, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return wrong("%w", err)
	}
	switch key := copied.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return wrong("RSA key of %d bits, %d are needed", bits, minRSA)
		}
		if key.E < 3 {
			return wrong("RSA key with exponent %d", key.E)
		}
		return verifyingKey{jwt.SigningMethodRS256.Alg(), key}, nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return wrong("curve %s, ES256 needs P-256", key.Params().Name)
		}
		return verifyingKey{jwt.SigningMethodES256.Alg(), key}, nil
	}
	return wrong("%T cannot verify tokens", copied)
}

// marshalKey encodes a key; one that holds nil makes crypto/x509 panic.
func marshalKey(key any) (der []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("key is empty")
		}
	}()
	return x509.MarshalPKIXPublicKey(key)
}
