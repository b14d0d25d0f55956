package entaudit

import (
	"encoding/base64"
	"strings"
)

// inToken reports whether c can be part of base64url.
func inToken(c byte) bool { return alnum(c) || c == '-' || c == '_' }

// jwt returns the end of the signed or encrypted token that begins at i, 0 where none
// does: base64url of a JSON object, a dot, and more.
func (f *detector) jwt(i int) int {
	s := f.s
	if s[i] != 'e' || i+16 > len(s) || s[i+1] != 'y' && s[i+1] != 'w' {
		return 0
	}
	for f.word = max(f.word, i); f.word < len(s) && inToken(s[f.word]); {
		f.word++
	}
	if f.word+1 >= len(s) || s[f.word] != '.' || !inToken(s[f.word+1]) && s[f.word+1] != '.' {
		return 0
	}
	var head [12]byte
	if n, err := base64.RawURLEncoding.Decode(head[:], []byte(s[i:i+16])); err != nil || !objectBegins(string(head[:n])) {
		return 0
	}
	end := f.word
	for end < len(s) && (inToken(s[end]) || s[end] == '.') {
		end++
	}
	return i + len(strings.TrimRight(s[i:end], "."))
}

// objectBegins reports whether s is how a JSON object with a name in it begins.
func objectBegins(s string) bool {
	s, ok := strings.CutPrefix(s, "{")
	return ok && strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), `"`)
}

// serviceKeys are how the keys and tokens of well-known services begin, and how many
// characters they have behind that at least, and at most where that tells them from
// ordinary words.
var serviceKeys = [...]struct {
	prefix    string
	from, til int
}{
	// AWS and Google
	{"AKIA", 16, 16},
	{"ASIA", 16, 16},
	{"AIza", 35, 35},
	{"GOCSPX-", 24, 0},
	{"ya29.", 20, 0},
	// GitHub and GitLab
	{"ghp_", 36, 0},
	{"gho_", 36, 0},
	{"ghu_", 36, 0},
	{"ghs_", 36, 0},
	{"ghr_", 36, 0},
	{"github_pat_", 22, 0},
	{"glpat-", 20, 0},
	// Slack
	{"xoxa-", 10, 0},
	{"xoxb-", 10, 0},
	{"xoxc-", 10, 0},
	{"xoxd-", 10, 0},
	{"xoxe-", 10, 0},
	{"xoxp-", 10, 0},
	{"xoxr-", 10, 0},
	{"xoxs-", 10, 0},
	{"xapp-", 10, 0},
	// Stripe
	{"sk_live_", 16, 0},
	{"sk_test_", 16, 0},
	{"rk_live_", 16, 0},
	{"rk_test_", 16, 0},
	{"whsec_", 24, 0},
	// Anthropic, OpenAI, Hugging Face
	{"sk-ant-", 24, 0},
	{"sk-proj-", 24, 0},
	{"hf_", 34, 0},
	// npm, PyPI, DigitalOcean, Shopify, SendGrid
	{"npm_", 36, 36},
	{"pypi-AgE", 50, 0},
	{"dop_v1_", 64, 0},
	{"shpat_", 32, 32},
	{"SG.", 22, 0},
}

// serviceKey returns the end of the key that begins at i, 0 where none does.
func (f *detector) serviceKey(i int) int {
	s := f.s
	switch s[i : i+2] { // most words end here
	case "AK", "AS", "AI", "GO", "ya", "gh", "gi", "gl", "xo", "xa", "sk", "rk", "wh", "hf", "np", "py", "do", "sh", "SG":
	default:
		return 0
	}
	for _, k := range serviceKeys {
		if strings.HasPrefix(s[i:], k.prefix) {
			return f.run(i+len(k.prefix), k.from, k.til)
		}
	}
	return 0
}

// run returns the end of the characters of a token from i on where they are at least
// from, and at most til unless that is 0. Dots belong to a token whose prefix ends in
// one.
func (f *detector) run(i, from, til int) int {
	dots := f.s[i-1] == '.'
	end := i
	for end < len(f.s) && (inToken(f.s[end]) || dots && f.s[end] == '.') {
		if end++; til > 0 && end-i > til {
			return 0
		}
	}
	if end-i < from {
		return 0
	}
	return end
}
