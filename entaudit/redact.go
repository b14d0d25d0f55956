package entaudit

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Redacted stands in an entry where a secret was set.
const Redacted = "[REDACTED]"

// Redact adds to what a [Recorder] masks. The zero value masks the default
// keys.
type Redact struct {
	// Keys are further names whose values are masked. They always add to the
	// defaults.
	Keys []string
	// Allow are names whose values are kept although a key matches them.
	Allow []string
	// KeepValues keeps what is a secret by its form and not by its name: see
	// [Redactor.Text]. It is unsafe where clients put tokens or card numbers into
	// texts.
	KeepValues bool
	// Changes has the values of changed fields searched too. They are not otherwise:
	// a field whose values are secrets is better named so in the schema, and an entry
	// that holds what the row held can be replayed. KeepValues excludes it.
	Changes bool
}

// defaultKeys are the names whose values are masked. A name matches when one of
// its words, or several neighbouring words together, are a key, with or without
// digits behind it.
var defaultKeys = []string{
	"password", "passwd", "passwort", "pwd", "pass", "passphrase", "passcode", "pin",
	"secret", "client_secret", "token", "access_token", "refresh_token", "id_token", "auth_token",
	"csrf", "xsrf", "otp", "totp", "mfa_code", "recovery_code",
	"authorization", "proxy_authorization", "auth", "bearer", "jwt", "credential", "credentials",
	"passwords", "secrets", "cookies", "api_keys", "access_keys", "private_keys", "access_tokens", "refresh_tokens", "card_numbers", "recovery_codes",
	"cookie", "set_cookie", "session_id", "sid", "session_key", "signature",
	"api_key", "access_key", "secret_key", "private_key", "encryption_key", "signing_key", "ssh_key",
	"credit_card", "card_number", "pan", "cvv", "cvv2", "cvc", "iban", "account_number",
	"ssn", "social_security", "social_security_number", "tax_id", "national_id",
}

// harmlessTails are last words of a name that make it tell about a secret
// without holding it, as in token_count or password_changed_at.
var harmlessTails = []string{
	"count", "counts", "type", "length", "size", "limit", "max", "min", "at", "on", "expiry",
	"expires", "expires_in", "expired", "ttl", "age", "usage", "used", "budget", "policy", "enabled", "required",
	"status", "strength", "attempts", "provider", "method",
}

// glued are keys that begin or end a word which is written together with another, as
// in newpassword or usertoken. No word of a language ends in one of them by chance.
var glued = []string{"password", "passwd", "passwort", "passphrase", "token", "secret", "apikey", "privatekey"}

// Redactor masks secrets. It is immutable and safe for concurrent use.
type Redactor struct {
	keys, allow, tails map[string]bool
	longest            int // bytes of the longest key
	limit              int // bytes of one value of metadata
	keepValues         bool
	changes            *Redactor // of the values of changed fields
	names              *verdicts
}

// NewRedactor returns a Redactor for the default keys and those of r. It cuts
// metadata at [DefaultMaxValue]; that of a [Recorder] cuts it at Config.MaxValue.
func NewRedactor(r Redact) (*Redactor, error) {
	if r.KeepValues && r.Changes {
		return nil, errors.New("entaudit: Config.Redact.Changes: KeepValues is set as well")
	}
	d := &Redactor{
		keys: map[string]bool{}, allow: map[string]bool{}, tails: map[string]bool{},
		limit: DefaultMaxValue, keepValues: r.KeepValues, names: newVerdicts(),
	}
	for _, k := range defaultKeys {
		d.keys[squash(k)] = true
	}
	for _, k := range harmlessTails {
		d.tails[squash(k)] = true
	}
	for _, k := range r.Keys {
		if squash(k) == "" {
			return nil, fmt.Errorf("entaudit: Config.Redact.Keys: %q has no letters or digits", k)
		}
		d.keys[squash(k)] = true
	}
	for _, k := range r.Allow {
		d.allow[squash(k)] = true
	}
	for k := range d.keys {
		d.longest = max(d.longest, len(k))
	}
	d.changes = d
	if !r.Changes && !r.KeepValues {
		changes := *d
		changes.keepValues, changes.changes = true, &changes
		d.changes = &changes
	}
	return d, nil
}

// ForChanges returns the Redactor of the values of changed fields: it masks the same
// names, and searches texts only where Redact.Changes is set.
func (d *Redactor) ForChanges() *Redactor { return d.changes }

// Name reports whether the value of a field, key, parameter or header of this
// name is masked. Case and separators do not matter, compared with Unicode
// simple folding; whole words count, so that "secretary" and "token_count" are
// not masked while "passwordHash" is.
func (d *Redactor) Name(name string) bool { return d.names.of(name, d.decide) }

// decide is Name for one that has not been seen lately.
func (d *Redactor) decide(name string) bool {
	var text [64]byte
	var bounds [12]int
	all, ends := split(text[:0], bounds[:0], name)
	if len(ends) == 0 || d.allow[string(all)] {
		return false
	}
	if len(ends) > 1 {
		tail := all[ends[len(ends)-2]:]
		if d.tails[string(tail)] && !d.keys[string(tail)] {
			return d.keys[string(all)]
		}
	}
	start := 0
	for i := range ends {
		for _, end := range ends[i:] {
			run := all[start:end]
			if key := withoutNumber(run); len(key) > d.longest {
				break
			} else if d.keys[string(run)] || d.keys[string(key)] {
				return true
			} else if len(run) > d.longest {
				break // what follows are digits, of which there may be very many, or too much
			}
		}
		if d.glues(all[start:ends[i]]) {
			return true
		}
		start = ends[i]
	}
	return false
}

// withoutNumber returns word without the digits at its end.
func withoutNumber(word []byte) []byte {
	for len(word) > 0 && digit(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	return word
}

// glues reports whether a word ends in a key, or begins with a kind of password and is
// not one that tells about it, such as passwordless.
func (d *Redactor) glues(word []byte) bool {
	word = withoutNumber(word)
	for _, key := range glued {
		if len(word) <= len(key) {
			continue
		}
		if bytes.HasSuffix(word, []byte(key)) {
			return true
		}
		rest, ok := bytes.CutPrefix(word, []byte(key))
		if ok && key[0] == 'p' && !bytes.HasPrefix(rest, []byte("less")) && !d.tails[string(rest)] {
			return true
		}
	}
	return false
}

// squash folds a name to the form that keys are compared in.
func squash(name string) string {
	all, _ := split(nil, nil, name)
	return string(all)
}

// split appends the folded words of name to text, without what separates them,
// and where each of them ends to ends. Words are runs of letters and digits,
// also divided where a new one begins in upper case, as in "passwordHash",
// "DBPassword" or "XApiKey".
func split(text []byte, ends []int, name string) ([]byte, []int) {
	end := func() {
		if n := len(text); n > 0 && (len(ends) == 0 || ends[len(ends)-1] < n) {
			ends = append(ends, n)
		}
	}
	var before, last rune // the two runes in front of r
	mark := 0             // where last begins in text
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			before, last = 0, 0
			continue
		}
		switch {
		case unicode.IsUpper(r) && (unicode.IsLower(last) || unicode.IsDigit(last)):
			end()
		case unicode.IsLower(r) && unicode.IsUpper(last) && unicode.IsUpper(before):
			ends = append(ends, mark) // the last letter of "DBP" begins "Password"
		}
		mark = len(text)
		text = utf8.AppendRune(text, fold(r))
		before, last = last, r
	}
	end()
	return text, ends
}

// fold returns the smallest rune that r equals under Unicode simple folding, in
// lower case where that is ASCII: 'K', 'k' and the Kelvin sign become 'k'.
func fold(r rune) rune {
	if r < 0x80 {
		return unicode.ToLower(r)
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return unicode.ToLower(least)
}
