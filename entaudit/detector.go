package entaudit

import (
	"net/url"
	"strings"
)

// maxText is how many bytes of one text are searched for secrets. What lies behind
// them is dropped, since nobody has looked at it. It is far more than is recorded of a
// value by default, so that what is cut is cut where Config.MaxValue says.
const maxText = 16 << 20

// Text returns s with everything in it replaced that is a secret by its form,
// whatever its name: tokens (JWT, and those of well-known services), private keys in
// PEM, passwords in URLs and data source names, card numbers and IBANs whose check
// digits are right, and values of masked names written as name=value or in JSON
// inside of the text. The time it takes grows with the length of s and with nothing
// else. Of a text longer than 16 MiB the rest is dropped, with [MarkCut]. Where
// Redact.KeepValues is set it returns s as it is.
func (d *Redactor) Text(s string) (string, Mark) {
	if d.keepValues {
		return s, ""
	}
	var mark Mark
	if len(s) > maxText {
		s, mark = wholeWords(prefix(s, maxText)), MarkCut
	}
	f := detector{s: s, d: d}
	f.search()
	if f.done == 0 {
		return s, mark
	}
	if mark == "" {
		mark = MarkRedacted
	}
	return string(append(f.out, s[f.done:]...)), mark
}

// wholeWords drops the last word of s, which may be half of a secret, unless it is
// longer than any.
func wholeWords(s string) string {
	const longest = 256
	if i := strings.LastIndexAny(s, " \t\r\n,;&\"'"); i >= 0 && len(s)-i <= longest {
		return s[:i+1]
	}
	return s[:max(len(s)-longest, 0)]
}

// detector finds secrets in one pass over a text. No byte is looked at more than a
// fixed number of times: whatever follows a possible beginning is either masked, and
// then skipped, or given up after a bounded number of bytes.
type detector struct {
	s    string
	d    *Redactor
	out  []byte
	done int // bytes of s that are in out, or masked
	word int // end of the last run that was looked at for a JWT
}

// mask masks s[start:end] and returns where to go on.
func (f *detector) mask(start, end int) int {
	start = max(start, f.done)
	if start >= end {
		return end
	}
	f.out = append(append(f.out, f.s[f.done:start]...), Redacted...)
	f.done = end
	return end
}

func (f *detector) search() {
	s := f.s
	for i := 0; i < len(s); {
		if alnum(s[i]) {
			i = f.piece(i)
			continue
		}
		switch s[i] {
		case '-':
			i = f.pem(i)
		case '=':
			i = f.assignment(i, i, " \t\r\n&;\"'<>\\")
		case ':':
			i = f.colon(i)
		case '@':
			i = f.dsn(i)
		default:
			i++
		}
	}
}

// piece looks at the letters and digits that begin at i, and returns where to go on:
// behind them, or behind a secret that begins with them.
func (f *detector) piece(i int) int {
	s := f.s
	end := 0
	if c := s[i]; digit(c) {
		if '2' <= c && c <= '6' { // as numbers of cards begin
			end = f.card(i)
		}
	} else if i+4 < len(s) {
		if digit(s[i+2]) && digit(s[i+3]) {
			end = f.iban(i)
		}
		if end == 0 && c == 'e' {
			end = f.jwt(i)
		} else if end == 0 {
			end = f.serviceKey(i)
		}
	}
	if end > 0 {
		return f.mask(i, end)
	}
	for i < len(s) && alnum(s[i]) {
		i++
	}
	return i
}

// pem masks a private key that begins at i, up to the end of the text where its own end
// is missing.
func (f *detector) pem(i int) int {
	const begin, end, dashes = "-----BEGIN ", "-----END ", "-----"
	if !strings.HasPrefix(f.s[i:], begin) {
		return i + 1
	}
	label, _, ok := strings.Cut(prefix(f.s[i+len(begin):], 64), dashes)
	if !ok || !strings.Contains(label, "PRIVATE KEY") {
		return i + len(begin)
	}
	from := i + len(begin) + len(label) + len(dashes)
	n := strings.Index(f.s[from:], end)
	if n < 0 {
		return f.mask(i, len(f.s))
	}
	stop := from + n + len(end)
	if m := strings.Index(prefix(f.s[stop:], 64), dashes); m >= 0 {
		stop += m + len(dashes)
	}
	return f.mask(i, stop)
}

// longestName is how many bytes in front of an equals sign are read as a name.
const longestName = 128

// assignment masks the value behind the separator at i where the name, which ends at
// end, is one that is masked. Without quotes a value ends before one of ends.
func (f *detector) assignment(end, i int, ends string) int {
	name := strings.TrimRight(f.s[min(max(end-longestName, f.done), end):end], " ")
	if n := strings.LastIndexFunc(name, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`&;,?#"'<>(){}=`, r) }); n >= 0 {
		name = name[n+1:]
	}
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	if name == "" || !f.d.Name(name) {
		return i + 1
	}
	return f.value(i+1, ends)
}

// colon masks the password of a URL at i, or the value of a masked name in JSON.
func (f *detector) colon(i int) int {
	s := f.s
	if strings.HasPrefix(s[i:], "://") {
		return f.userinfo(i + len("://"))
	}
	quoted, ok := strings.CutSuffix(strings.TrimRight(s[:i], " "), `"`)
	if !ok {
		return i + 1
	}
	return f.assignment(len(strings.TrimSuffix(quoted, `\`)), i, " \t\r\n,}]\\")
}

// value masks the value that begins at i, or behind blanks there.
func (f *detector) value(i int, ends string) int {
	s := f.s
	for i < len(s) && s[i] == ' ' {
		i++
	}
	rest := s[i:]
	if strings.HasPrefix(rest, Redacted) || strings.HasPrefix(rest, "=") { // masked, or a comparison
		return i + 1
	}
	for _, quote := range []string{`\"`, `"`, `'`} {
		if !strings.HasPrefix(rest, quote) {
			continue
		}
		from := i + len(quote)
		n := closing(s[from:], quote)
		if n == 0 || strings.HasPrefix(s[from:], Redacted+quote) {
			return from + n
		}
		return f.mask(from, from+n)
	}
	if rest != "" && (rest[0] == '{' || rest[0] == '[') {
		return f.mask(i, len(s)) // where it ends is not worth a parser
	}
	n := strings.IndexAny(rest, ends)
	if n < 0 {
		n = len(rest)
	}
	return f.mask(i, i+n)
}

// closing returns where the quote closes, the end of s where it does not.
func closing(s, quote string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], quote):
			return i
		case s[i] == '\\':
			i++
		}
	}
	return len(s)
}

// longestAuthority is how many bytes are read as user and password.
const longestAuthority = 512

// userinfo masks the password of the URL whose authority begins at i.
func (f *detector) userinfo(i int) int {
	authority := prefix(f.s[i:], longestAuthority)
	if n := strings.IndexAny(authority, " \t\r\n\"'<>/?#"); n >= 0 {
		authority = authority[:n]
	}
	at := strings.LastIndexByte(authority, '@')
	colon := strings.IndexByte(authority, ':')
	if colon < 0 || at <= colon+1 {
		return i
	}
	return f.mask(i+colon+1, i+at)
}

// dsn masks the password in front of the address that begins at i, as in
// user:password@tcp(host)/name.
func (f *detector) dsn(i int) int {
	if !strings.HasPrefix(f.s[i:], "@tcp(") && !strings.HasPrefix(f.s[i:], "@unix(") {
		return i + 1
	}
	before := f.s[max(i-longestAuthority, f.done):i]
	before = before[strings.LastIndexAny(before, " \t\r\n\"'")+1:]
	if colon := strings.IndexByte(before, ':'); colon >= 0 && colon < len(before)-1 {
		f.mask(i-len(before)+colon+1, i)
	}
	return i + 1
}

func alnum(c byte) bool { return alnums[c] }

// alnums are the letters and digits of ASCII.
var alnums = func() (t [256]bool) {
	for c := range t {
		t[c] = digit(byte(c)) || 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80
	}
	return t
}()

func digit(c byte) bool { return c-'0' <= 9 }
