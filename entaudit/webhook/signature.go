package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Headers of the Standard Webhooks scheme, version 1.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix    = "whsec_"
	signaturePrefix = "v1,"
)

// ParseSecret returns the secret that s is the usual text of: base64, with whsec_ in
// front. The error does not repeat it.
func ParseSecret(s string) ([]byte, error) {
	text, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return nil, errors.New("webhook: parse secret: does not begin with " + secretPrefix)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("webhook: parse secret: not base64")
	}
	if err := checkSecret(secret); err != nil {
		return nil, fmt.Errorf("webhook: parse secret: %w", err)
	}
	return secret, nil
}

func checkSecret(secret []byte) error {
	if len(secret) < MinSecret {
		return fmt.Errorf("has %d bytes, and at least %d are needed", len(secret), MinSecret)
	}
	return nil
}

// sum returns the HMAC of a message.
func sum(secret []byte, id string, at time.Time, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// sign returns the value of [HeaderSignature], with a signature of each secret.
func sign(secrets [][]byte, id string, at time.Time, body []byte) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		all[i] = signaturePrefix + base64.StdEncoding.EncodeToString(sum(secret, id, at, body))
	}
	return strings.Join(all, " ")
}

// maxSignatures is how many signatures of a request are looked at.
const maxSignatures = 16

// signed reports whether one of the signatures in a header is that of secret. Signatures
// of versions that it does not know are passed over.
func signed(header string, secret []byte, id string, at time.Time, body []byte) bool {
	want := sum(secret, id, at, body)
	found := false
	for i, s := range strings.Fields(header) {
		text, ok := strings.CutPrefix(s, signaturePrefix)
		if !ok || i >= maxSignatures {
			continue
		}
		got, err := base64.StdEncoding.DecodeString(text)
		if err == nil && hmac.Equal(got, want) {
			found = true
		}
	}
	return found
}
