package chiaudit_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestT05S27ClientBehindProxies(t *testing.T) {
	t.Parallel()
	inside := chiaudit.Proxies{Trusted: prefixes("10.0.0.0/8", "::ffff:172.16.0.0/108", "fd00::/8")}
	forwarded := chiaudit.Proxies{Trusted: inside.Trusted, Header: "forwarded"}
	one, two := chiaudit.Proxies{Count: 1}, chiaudit.Proxies{Count: 2}
	const proxy, client = "10.0.0.1:5000", "203.0.113.9"
	for _, tt := range []struct {
		name    string
		proxies chiaudit.Proxies
		remote  string
		header  string
		values  []string
		want    string
		garbled bool
	}{
		{"the peer is not a proxy", inside, "198.51.100.1:80", "X-Forwarded-For", []string{"1.2.3.4"}, "198.51.100.1", false},
		{"one proxy", inside, proxy, "X-Forwarded-For", []string{client}, client, false},
		{"a spoof in front", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4, " + client}, client, false},
		{"garbage in front", inside, proxy, "X-Forwarded-For", []string{"<script>, unknown, " + client}, client, false},
		{"two proxies", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4, " + client + ", 172.16.3.3,10.1.1.1"}, client, false},
		{"mapped", inside, "[::ffff:10.0.0.1]:80", "X-Forwarded-For", []string{"::ffff:" + client + ", ::ffff:10.9.9.9"}, client, false},
		{"two headers", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4", client}, client, false},
		{"empty elements", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4,, " + client + " , ,", ""}, client, false},
		{"port", inside, proxy, "X-Forwarded-For", []string{client + ":4711"}, client, false},
		{"IPv6", inside, proxy, "X-Forwarded-For", []string{"2001:db8::1"}, "2001:db8::1", false},
		{"brackets", inside, proxy, "X-Forwarded-For", []string{"[2001:db8::1]"}, "2001:db8::1", false},
		{"brackets and port", inside, proxy, "X-Forwarded-For", []string{"[2001:db8::1]:80"}, "2001:db8::1", false},
		{"zone", inside, proxy, "X-Forwarded-For", []string{"fe80::1%<b>"}, "fe80::1", false},
		{"unknown", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4, unknown"}, "", true},
		{"a name", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4, localhost"}, "", true},
		{"no address", inside, proxy, "X-Forwarded-For", []string{"1.2.3.4, 0.0.0.0"}, "", true},
		{"leading zero", inside, proxy, "X-Forwarded-For", []string{"010.0.0.1"}, "", true},
		{"10k clients", inside, proxy, "X-Forwarded-For", []string{strings.Repeat("1.2.3.4,", 10_000) + client}, client, false},
		{"10k proxies", inside, proxy, "X-Forwarded-For", []string{client + strings.Repeat(",10.0.0.1", 10_000)}, "", true},
		{"only proxies", inside, proxy, "X-Forwarded-For", []string{"10.0.0.9, 10.0.0.8"}, "10.0.0.9", false},
		{"the proxy itself", inside, proxy, "X-Forwarded-For", nil, "10.0.0.1", false},
		{"no peer", inside, "@", "X-Forwarded-For", []string{client}, "", false},
		{"the other header", inside, proxy, "Forwarded", []string{"for=1.2.3.4"}, "10.0.0.1", false},

		{"count one", one, proxy, "X-Forwarded-For", []string{"1.2.3.4, " + client}, client, false},
		{"count two", two, proxy, "X-Forwarded-For", []string{"1.2.3.4," + client + ", 10.0.0.2"}, client, false},
		{"count behind a socket", one, "@", "X-Forwarded-For", []string{client}, client, false},
		{"count without a header", one, proxy, "X-Forwarded-For", nil, "10.0.0.1", false},
		{"fewer than counted", two, proxy, "X-Forwarded-For", []string{"1.2.3.4"}, "", true},
		{"garbage where it counts", two, proxy, "X-Forwarded-For", []string{client + ", unknown"}, "", true},

		{"Forwarded", forwarded, proxy, "Forwarded", []string{"for=1.2.3.4, For=" + client + ";proto=https;by=10.0.0.1"}, client, false},
		{"Forwarded, quoted", forwarded, proxy, "Forwarded", []string{`for=1.2.3.4, proto=http; for="[2001:db8::1]:4711"`}, "2001:db8::1", false},
		{"Forwarded, quoted comma", forwarded, proxy, "Forwarded", []string{`for=1.2.3.4, for=` + client + `;host="a, for=9.9.9.9;for=8.8.8.8"`}, client, false},
		{"Forwarded, quoted quote", forwarded, proxy, "Forwarded", []string{`for=` + client + `;host="a\", for=9.9.9.9\\", for=10.0.0.2`}, client, false},
		{"Forwarded, an open quote in front", forwarded, proxy, "Forwarded", []string{`for="1.2.3.4, for=` + client}, client, false},
		{"Forwarded, an open quote reached", forwarded, proxy, "Forwarded", []string{`for="1.2.3.4, for=10.0.0.2`}, "", true},
		{"Forwarded, an open quote behind", forwarded, proxy, "Forwarded", []string{`for=1.2.3.4, for=9.9.9.9"`}, "", true},
		{"Forwarded, hidden", forwarded, proxy, "Forwarded", []string{`for=_secret`}, "", true},
		{"Forwarded, unknown", forwarded, proxy, "Forwarded", []string{`for=unknown`}, "", true},
		{"Forwarded, twice", forwarded, proxy, "Forwarded", []string{`for=1.2.3.4;for=` + client}, "", true},
		{"Forwarded, none", forwarded, proxy, "Forwarded", []string{`for=1.2.3.4, proto=https`}, "", true},
		{"Forwarded, the other header", forwarded, proxy, "X-Forwarded-For", []string{"1.2.3.4"}, "10.0.0.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, rec, m := setup(t, chiaudit.Options{Proxies: tt.proxies})
			r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
				require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
			})
			get(r, "/", func(q *http.Request) {
				q.RemoteAddr = tt.remote
				q.Header[tt.header] = tt.values
				q.Header.Set("X-Real-IP", "1.2.3.4")
			})
			entries := m.all()
			require.Len(t, entries, 2)
			require.Equal(t, tt.want, entries[0].Request.IP, "the entry of the handler")
			e := entries[1]
			require.Equal(t, tt.want, e.Request.IP)
			require.Equal(t, tt.garbled, e.Marks["ip_address"] == entaudit.MarkUnknown)
			if tt.garbled {
				require.Len(t, e.Metadata["forwarded_hash"], 32)
			} else {
				require.NotContains(t, e.Metadata, "forwarded_hash")
			}
		})
	}
}

func TestS28ClientIPOfChi(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, opts chiaudit.Options, mw func(http.Handler) http.Handler) string {
		rec, m := newRecorder(t)
		r := chi.NewRouter()
		r.Use(mw, chiaudit.Handler(rec, opts))
		r.Get("/", status(200))
		get(r, "/", header("X-Forwarded-For", "1.2.3.4, ::ffff:203.0.113.9"), header("X-Real-IP", "198.51.100.7"))
		return m.only(t).Request.IP
	}
	require.Equal(t, "203.0.113.9", ask(t, chiaudit.Options{}, middleware.ClientIPFromXFF("192.0.2.0/24")))
	require.Equal(t, "198.51.100.7", ask(t, chiaudit.Options{}, middleware.ClientIPFromHeader("X-Real-IP", "192.0.2.0/24")))
	require.Equal(t, "192.0.2.1", ask(t, chiaudit.Options{}, middleware.ClientIPFromXFF("10.0.0.0/8")))
	require.Equal(t, "192.0.2.1", ask(t, chiaudit.Options{Proxies: chiaudit.Proxies{Trusted: prefixes("10.0.0.0/8")}}, middleware.ClientIPFromHeader("X-Real-IP")),
		"what is configured here wins")
}

func TestProxiesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t)
	for field, p := range map[string]chiaudit.Proxies{
		"Proxies.Header: \"X-Real-Ip\"":    {Count: 1, Header: "X-Real-Ip"},
		"Proxies.Header: neither":          {Header: "Forwarded"},
		"Proxies.Count: Trusted":           {Count: 1, Trusted: prefixes("10.0.0.0/8")},
		"Proxies.Count: -1":                {Count: -1},
		"Proxies.Count: 33":                {Count: 33},
		"Proxies.Trusted: 0.0.0.0/0":       {Trusted: prefixes("0.0.0.0/0")},
		"Proxies.Trusted: invalid Prefix ": {Trusted: []netip.Prefix{{}}},
	} {
		func() {
			defer func() { require.Contains(t, recover(), "chiaudit: Options."+field) }()
			chiaudit.Handler(rec, chiaudit.Options{Proxies: p})
		}()
	}
}

// What clients write to the left of what the nearest proxy has written makes no
// difference, whatever it is.
func FuzzT05Forwarded(f *testing.F) {
	for _, s := range []string{"", "1.2.3.4", `for="`, `for="1.2.3.4;by="`, "unknown", `a="\`, `"`, ",", ";", "[::1]:80", "for=_x;for=y"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	discard := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil }) // or the worker's memory grows
	rec, err := entaudit.New(entaudit.Config{Writer: discard})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, spoof string, standard bool) {
		p, name, last := chiaudit.Proxies{Count: 1}, "X-Forwarded-For", "203.0.113.9"
		if standard {
			p.Header, name, last = "Forwarded", "Forwarded", `for="203.0.113.9:80";host="a, b"`
		}
		h := chiaudit.Handler(rec, chiaudit.Options{Proxies: p})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			q, _ := entaudit.RequestFrom(r.Context())
			require.Equal(t, "203.0.113.9", q.IP)
		}))
		get(h, "/", func(q *http.Request) { q.Header[name] = []string{spoof, spoof + "," + last} })
		p = chiaudit.Proxies{Trusted: prefixes("192.0.2.0/24", "10.0.0.0/8"), Header: p.Header}
		behind := ",10.0.0.1"
		if standard {
			behind = ",for=10.0.0.1"
		}
		h = chiaudit.Handler(rec, chiaudit.Options{Proxies: p})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			q, _ := entaudit.RequestFrom(r.Context())
			require.Equal(t, "203.0.113.9", q.IP)
		}))
		get(h, "/", func(q *http.Request) { q.Header[name] = []string{spoof, spoof + "," + last + behind} })
		p = chiaudit.Proxies{Count: 3, Header: p.Header} // reaches what the client has written
		h = chiaudit.Handler(rec, chiaudit.Options{Proxies: p})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			q, _ := entaudit.RequestFrom(r.Context())
			if q.IP != "" {
				require.Equal(t, q.IP, netip.MustParseAddr(q.IP).Unmap().WithZone("").String())
			}
		}))
		get(h, "/", func(q *http.Request) { q.Header[name] = []string{spoof, spoof + "," + last} })
	})
}
