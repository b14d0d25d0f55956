package chiaudit_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
)

func TestWhatIsPublishedIsNoSecret(t *testing.T) {
	t.Parallel()
	key, rsaPrivate := ecKey(t, elliptic.P256()), rsaKey(t, 2048)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	require.NoError(t, err)
	pkix, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	for name, der := range map[string][]byte{
		"certificate": certificate, "certificate request": request, "PKIX": pkix,
		"PKCS #1": x509.MarshalPKCS1PublicKey(&rsaPrivate.PublicKey),
	} {
		for _, secret := range [][]byte{
			der,
			[]byte(base64.StdEncoding.EncodeToString(der)),
			[]byte(base64.RawURLEncoding.EncodeToString(der) + "\n"),
		} {
			j, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{Secret: secret})
			require.ErrorContains(t, err, "JWTConfig.Secret: is a public key or a certificate", name)
			require.Nil(t, j)
		}
	}
	random := make([]byte, 64)
	_, err = rand.Read(random)
	require.NoError(t, err)
	newJWT(t, chiaudit.JWTConfig{Secret: []byte(base64.StdEncoding.EncodeToString(random))})
}
