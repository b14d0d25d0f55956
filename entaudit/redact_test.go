package entaudit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func redactor(t *testing.T, r entaudit.Redact) *entaudit.Redactor {
	t.Helper()
	d, err := entaudit.NewRedactor(r)
	require.NoError(t, err)
	return d
}

func TestNamesThatAreMaskedS40W26(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, name := range []string{
		"password", "Password", "PASSWORD", "pass_word", "pass-word", "pass.word", "p-a-s-s-w-o-r-d", "pAsSwOrD", " password ",
		"\u0070assword", "pa\u017f\u017fword", "PA\u017fSWORD", "pass\u200bword", "to\u212aen", "password1", "password_2", "passwords",
		"passwordHash", "password_hash", "PasswordHash", "userPassword", "DBPassword", "smtpPASSWORD", "new_password_confirmation",
		"user[password]", "passwd", "pwd", "passphrase", "secret", "client_secret", "clientSecret", "AWSSecretKey", "app.secrets",
		"token", "accessToken", "refresh_token", "ID_TOKEN", "csrf_token", "JWTToken", "jwt", "bearer",
		"api_key", "apiKey", "APIKey", "X-Api-Key", "XApiKey", "api_keys", "access_key", "private-key", "sshKey",
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "session_id", "sid", "signature",
		"credit_card", "creditCardNumber", "card_number", "pan", "cvv", "cvv2", "cvc", "iban", "IBAN", "ssn", "SSN",
		"social_security_number", "tax_id", "otp", "totp_secret", "pin", "pin_code", "mfaCode", "credentials", "employee_ssn_count_hash",
		"newpassword", "userpassword", "OLDPASSWORD2", "passwordconfirmation", "dbpasswd", "usertoken", "my_resettoken1", "appsecret", "xapikey",
	} {
		require.True(t, d.Name(name), "%q is not masked", name)
	}
}

func TestNamesThatAreKeptW26(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, name := range []string{
		"", "-", "猫", "name", "email", "secretary", "secretariat", "token_count", "tokenCount", "token_type", "max_tokens", "tokens",
		"tokenizer", "password_changed_at", "passwordChangedAt", "password_policy", "password_length", "otp_enabled", "pinned", "spin",
		"opinion", "pancake", "company", "author", "authored_by", "author_id", "compass", "passenger", "bypass", "passport_country",
		"auth_method", "cookie_policy", "signature_required", "pandas", "side", "inside", "assignee", "key", "keyboard", "api_version",
		"passwordless", "passwordless_login", "passwordpolicy", "card_type", "account", "description", "jwtCount",
	} {
		require.False(t, d.Name(name), "%q is masked", name)
	}
}

func TestRedactKeysAddToTheDefaultsW24(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{
		Keys:  []string{"Shoe-Size", "status", "very_long_name_of_a_secret_of_our_own"},
		Allow: []string{"public_token", "Pin Code"},
	})
	for _, name := range []string{
		"shoe_size", "shoeSize", "my_shoe_size_eu", "status", "employee_status", "VeryLongNameOfASecretOfOurOwn", "password", "token", "pin",
		"public_token_2",
	} {
		require.True(t, d.Name(name), "%q is not masked", name)
	}
	for _, name := range []string{"shoe", "public_token", "PublicToken", "pin_code", "PIN-CODE"} {
		require.False(t, d.Name(name), "%q is masked", name)
	}
}

func TestNameDoesNotAllocate(t *testing.T) {
	d := redactor(t, entaudit.Redact{})
	// testing.AllocsPerRun must not run in parallel with other tests.
	require.Zero(t, testing.AllocsPerRun(100, func() { d.Name("invoiceRecipientAddress_line2") }))
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"", "password", "passwordHash", "pa\u017f\u017fword", "X-Api-Key", "\xff", "a\x00", "DBPassword1"} {
		f.Add(s)
	}
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d.Name(s)
		for _, name := range []string{s + "_password", "password_" + s + "_x", s + "-api-key"} {
			if !d.Name(name) {
				t.Errorf("%q is not masked", name)
			}
		}
	})
}

func BenchmarkRedactorName(b *testing.B) {
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Name("invoiceRecipientAddress_line2")
	}
}

// A name of any length is looked at in a time that grows with it, and no more.
func TestS50LongNamesTakeLinearTime(t *testing.T) {
	t.Parallel()
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	require.NoError(t, err)
	for _, word := range []string{"1.", "a1.", "a1b", "1", "pass.", "password1."} {
		for _, words := range []int{4000, 500_000} {
			began := time.Now()
			d.Name(strings.Repeat(word, words))
			require.Less(t, time.Since(began), time.Second+time.Duration(words)*40*time.Microsecond, word) // far more than it takes
		}
	}
	require.True(t, d.Name("password."+strings.Repeat("1.", 50)))
	require.True(t, d.Name(strings.Repeat("1.", 50)+"password."+strings.Repeat("1.", 50)+"x"))
}
