package entaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// byDecoder does what Redactor.JSON does by means of the tokens of encoding/json, token
// by token: slowly, and with nothing of our own in the reading of JSON.
func byDecoder(d *Redactor, data []byte, mark func(path string, m Mark)) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	j := decoderRedactor{dec: dec, d: d, out: make([]byte, 0, len(data)), mark: mark}
	if err := j.value("", 0); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errTwo
	}
	return j.out, nil
}

type decoderRedactor struct {
	dec  *json.Decoder
	d    *Redactor
	out  []byte
	mark func(string, Mark)
}

// value copies one value from the decoder to out.
func (j *decoderRedactor) value(path string, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	t, err := j.dec.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return j.object(path, depth)
		}
		return j.array(path, depth)
	case string:
		j.out = AppendString(j.out, j.text(path, t))
	case json.Number:
		if s := j.text(path, t.String()); s != t.String() {
			j.out = AppendString(j.out, s)
		} else {
			j.out = append(j.out, t...)
		}
	case bool:
		j.out = fmt.Appendf(j.out, "%t", t)
	case nil:
		j.out = append(j.out, "null"...)
	}
	return nil
}

func (j *decoderRedactor) text(path, s string) string {
	s, m := j.d.Text(s)
	if m != "" && j.mark != nil {
		j.mark(path, m)
	}
	return s
}

func (j *decoderRedactor) object(path string, depth int) error {
	j.out = append(j.out, '{')
	for first := true; j.dec.More(); first = false {
		if !first {
			j.out = append(j.out, ',')
		}
		t, err := j.dec.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		j.out = append(AppendString(j.out, name), ':')
		sub := joinPath(path, name)
		if !j.d.Name(name) {
			if err := j.value(sub, depth+1); err != nil {
				return err
			}
			continue
		}
		var raw json.RawMessage
		if err := j.dec.Decode(&raw); err != nil {
			return err
		}
		if string(raw) == "null" || string(raw) == `""` {
			j.out = append(j.out, raw...)
			continue
		}
		j.out = AppendString(j.out, Redacted)
		if j.mark != nil {
			j.mark(sub, MarkRedacted)
		}
	}
	j.out = append(j.out, '}')
	_, err := j.dec.Token()
	return err
}

func (j *decoderRedactor) array(path string, depth int) error {
	j.out = append(j.out, '[')
	for i := 0; j.dec.More(); i++ {
		if i > 0 {
			j.out = append(j.out, ',')
		}
		if err := j.value(prefix(fmt.Sprintf("%s[%d]", path, i), maxPath), depth+1); err != nil {
			return err
		}
	}
	j.out = append(j.out, ']')
	_, err := j.dec.Token()
	return err
}

type marked struct {
	path string
	mark Mark
}

// requireAsByDecoder requires that JSON and byDecoder agree on the result, on every
// mark and its order, and on whether data is one JSON value.
func requireAsByDecoder(t *testing.T, d *Redactor, data []byte) {
	t.Helper()
	var want, got []marked
	before := bytes.Clone(data)
	wanted, wantErr := byDecoder(d, data, func(path string, m Mark) { want = append(want, marked{path, m}) })
	out, err := d.JSON(data, func(path string, m Mark) { got = append(got, marked{path, m}) })
	require.Equal(t, wantErr == nil, err == nil, "%.2000q: %v, and not %v", data, err, wantErr)
	require.Equal(t, string(wanted), string(out), "%.2000q", data)
	require.Equal(t, want, got, "%.2000q", data)
	require.Equal(t, before, data, "the input has changed")
	bare, err := d.JSON(data, nil)
	require.Equal(t, wantErr == nil, err == nil, "%.2000q without marks", data)
	require.Equal(t, string(wanted), string(bare), "%.2000q without marks", data)
}

// odd are parts of documents in which something is special.
var odd = struct{ names, strings, scalars, broken []string }{
	names: []string{
		`a`, `b`, ``, `password`, `token`, `pin`, `\u0070assword`, `pa\u017f\u017fword`, "pa\u017f\u017fword", `to\u212aen`, `token_count`, `user.name`,
		`API-Key`, `\ud83d\ude00`, `\ud800`, "\xff", "a\u2028", `\u0000`, "caf\u00e9", strings.Repeat("n", 700), strings.Repeat("\u00e9", 600),
	},
	strings: []string{
		``, `x`, `abc`, `a\nb\t\"\\\/\b\f\r`, `\u0041\uD83D\uDE00`, `\ud800`, `\udc00\ud800`, `\ud800\u0041`, `\ud800\ud800\udc00`, "\xff\xc3", "\u2028\u200b",
		"\u00e9\u00e8", "\x7f", `4111 1111 1111 1111`, `GB82 WEST 1234 5698 7654 32`, `eyJhbGciOiJub25lIn0.eyJhIjoxfQ.`, `https://u:p@h/`, `{\"password\":\"x\"}`,
		`password=hunter2&a=1`, `-----BEGIN PRIVATE KEY-----x`, `AKIAABCDEFGHIJKLMNOP`, `<b>&amp;</b>`,
	},
	scalars: []string{
		`0`, `-0`, `1`, `-1.50e+400`, `12E3`, `9007199254740993`, `4111111111111111`, `4111111111111111.0`, `true`, `false`, `null`, `""`, `0.5e-7`,
		`[]`, `{}`,
	},
	broken: []string{
		`01`, `-`, `1.`, `.5`, `1e`, `+1`, `1x`, `nul`, `nulll`, `True`, `NaN`, `'x'`, `"\q"`, `"\u12g4"`, `"\u12"`, "\"\n\"", "\"\x00\"", `"`, `{`, `[`, `}`, `]`,
		`{]`, `[}`, `{,}`, `[,]`, `[1,]`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{"a"::1}`, `{"a":1:2}`, `{a:1}`, `{1:1}`, `[1 2]`, `{"a":1 "b":2}`, `//x`, "\ufeff1", ``,
		`"\`, `"x\"`, `[[[`, `{"a":[}`, `{"a":{]}`,
	},
}

// document writes a random document, which is mostly JSON.
func document(r *rand.Rand, b *strings.Builder, depth int) {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	blank := func() { b.WriteString(pick([]string{"", "", "", " ", "\n\t", "\r"})) }
	blank()
	defer blank()
	kind := r.IntN(20)
	switch {
	case kind == 0 && r.IntN(20) == 0:
		b.WriteString(pick(odd.broken))
	case kind < 4:
		b.WriteString(pick(odd.scalars))
	case kind < 10 || depth <= 0:
		b.WriteString(`"` + pick(odd.strings) + pick(odd.strings) + `"`)
	case kind < 14:
		b.WriteByte('[')
		for i := range r.IntN(5) {
			if i > 0 {
				b.WriteByte(',')
			}
			document(r, b, depth-1)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		for i := range r.IntN(6) {
			if i > 0 {
				b.WriteByte(',')
			}
			blank()
			b.WriteString(`"` + pick(odd.names) + `"`)
			blank()
			b.WriteByte(':')
			document(r, b, depth-1)
		}
		b.WriteByte('}')
	}
}

// mutate alters some bytes of a document.
func mutate(r *rand.Rand, data []byte) []byte {
	const alphabet = "{}[]\",:\\0123456789-+.eEtfnu \n\x00\xff\x7f"
	for range r.IntN(4) {
		if len(data) == 0 {
			return data
		}
		i := r.IntN(len(data))
		switch c := alphabet[r.IntN(len(alphabet))]; r.IntN(4) {
		case 0:
			data[i] = c
		case 1:
			data = append(data[:i:i], data[i+1:]...)
		case 2:
			data = append(append(data[:i:i], c), data[i:]...)
		default:
			data = data[:i]
		}
	}
	return data
}

// redactors returns one of each kind that makes a difference.
func redactors(tb testing.TB) []*Redactor {
	tb.Helper()
	var all []*Redactor
	for _, r := range []Redact{{}, {KeepValues: true}, {Keys: []string{"b"}, Allow: []string{"pin"}}} {
		d, err := NewRedactor(r)
		require.NoError(tb, err)
		all = append(all, d)
	}
	return all
}

func TestRedactJSONAsByDecoder(t *testing.T) {
	t.Parallel()
	all := redactors(t)
	for _, d := range all {
		for _, list := range [][]string{odd.broken, odd.scalars} {
			for _, s := range list {
				for _, around := range []string{`%s`, ` %s `, `[%s]`, `{"a":%s}`, `{"password":%s}`, `{"token":%s,"token":1}`, `[1,%s]`, `%s 1`, `{"token":[%s]}`, `{"pin":{"a":%s}}`} {
					requireAsByDecoder(t, d, fmt.Appendf(nil, around, s))
				}
			}
		}
		for _, n := range []int{63, 64, 65, 66, 9_999, 10_000, 10_001} {
			for _, inner := range []string{"", "1", `{"a":1}`, `"x"`} {
				deep := strings.Repeat("[", n) + inner + strings.Repeat("]", n)
				requireAsByDecoder(t, d, []byte(deep))
				requireAsByDecoder(t, d, []byte(`{"password":`+deep+`}`))
				requireAsByDecoder(t, d, []byte(`[{"password":`+deep+`}]`))
				requireAsByDecoder(t, d, []byte(strings.Repeat(`{"a":`, min(n, 70))+`{"pin":1}`+strings.Repeat("}", min(n, 70))))
			}
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for i := range 5_000 {
		var b strings.Builder
		document(r, &b, 5)
		data := []byte(b.String())
		requireAsByDecoder(t, all[i%len(all)], data)
		requireAsByDecoder(t, all[i%len(all)], mutate(r, data))
	}
}

func FuzzRedactJSONAsByDecoder(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, `{"password":{"x":[1]}}`, `[1e400,"\ud800"]`, `{"a":[{"token":"x"}],"a":2}`, `{`, `[`, ` null `, `{"pin":"","otp":null,"jwt": "x"}`,
		`{"\u0070in":"\u0000"}`, `{"a":"4111 1111 1111 1111","n":4111111111111111}`, `[[[[1,2],[3]],{}],[]]`, `{"token":01}`,
	} {
		f.Add([]byte(s))
	}
	for i, list := range [][]string{odd.broken, odd.names, odd.strings} {
		for _, s := range list {
			f.Add(fmt.Appendf(nil, []string{`{"pin":%s}`, `{"%s":["x"]}`, `["%s"]`}[i], s))
		}
	}
	all := redactors(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range all {
			requireAsByDecoder(t, d, data)
		}
	})
}

// BenchmarkRedactJSON has a kilobyte of JSON, in which 16 values are masked.
func BenchmarkRedactJSON(b *testing.B) {
	data := []byte(`{"items":[` + strings.Repeat(`{"id":12345,"name":"something","price":"12.50","token":"abc"},`, 16) + `{}]}`)
	d := redactors(b)[0]
	for _, way := range []struct {
		name string
		json func([]byte, func(string, Mark)) (json.RawMessage, error)
	}{
		{"scanner", d.JSON},
		{"decoder", func(data []byte, mark func(string, Mark)) (json.RawMessage, error) { return byDecoder(d, data, mark) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := way.json(data, func(string, Mark) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
