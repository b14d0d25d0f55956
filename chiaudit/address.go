package chiaudit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/entaudit/audit/entaudit"
)

// maxHops is how many proxies a request may have passed. More are no real chain:
// somebody has written them to make us read them.
const maxHops = 32

// Proxies says which reverse proxies stand in front of the service, so that
// entries have the client's address and not that of the last proxy. The zero value
// trusts none: the address is that of the TCP peer, or the one that chi's
// ClientIPFrom middleware has put into the context, and no header is read.
//
// What is read is one header, from its right end, where the nearest proxy has
// written: what a client writes stands further left and is never reached. An
// element that is no address leaves the address unknown, with a mark and the hash of
// the whole header in the metadata.
type Proxies struct {
	// Trusted are the addresses of the proxies. The header is read only where the
	// peer is among them, and the first address that is not among them is the
	// client.
	Trusted []netip.Prefix
	// Count is how many proxies each request passes, where their addresses are not
	// known: 1 takes the last address of the header. It is unsafe where clients
	// can reach the service past the proxies, or where it is too high.
	Count int
	// Header is what the proxies append to: X-Forwarded-For, which is the default,
	// or Forwarded (RFC 7239). The other one is never read,
	// since clients could set it.
	Header string
}

func (p Proxies) validate() error {
	switch http.CanonicalHeaderKey(p.Header) {
	case "", "X-Forwarded-For", "Forwarded":
	default:
		return fmt.Errorf("chiaudit: Options.Proxies.Header: %q is neither X-Forwarded-For nor Forwarded; for others use chi's ClientIPFromHeader", p.Header)
	}
	switch {
	case len(p.Trusted) > 0 && p.Count != 0:
		return errors.New("chiaudit: Options.Proxies.Count: Trusted is set as well, which is the safer one")
	case p.Count < 0 || p.Count > maxHops:
		return fmt.Errorf("chiaudit: Options.Proxies.Count: %d is not between 0 and %d", p.Count, maxHops)
	case p.Header != "" && len(p.Trusted) == 0 && p.Count == 0:
		return errors.New("chiaudit: Options.Proxies.Header: neither Trusted nor Count is set, so that it would not be read")
	}
	for _, prefix := range p.Trusted {
		if !prefix.IsValid() || prefix.Bits() == 0 {
			return fmt.Errorf("chiaudit: Options.Proxies.Trusted: %v trusts everybody or is not valid", prefix)
		}
	}
	return nil
}

// proxies are Proxies as they are used.
type proxies struct {
	trusted   []netip.Prefix
	count     int
	header    string
	forwarded bool // the header is Forwarded
}

func newProxies(p Proxies) proxies {
	c := proxies{count: p.Count, header: "X-Forwarded-For", forwarded: http.CanonicalHeaderKey(p.Header) == "Forwarded"}
	if c.forwarded {
		c.header = "Forwarded"
	}
	for _, prefix := range p.Trusted {
		if a := prefix.Addr(); a.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96) // as the addresses that it is compared with
		}
		c.trusted = append(c.trusted, prefix.Masked())
	}
	return c
}

func (p *proxies) zero() bool { return p.count == 0 && len(p.trusted) == 0 }

func (p *proxies) trusts(a netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address of the client, which is not valid where nobody knows
// it, and whether the header could be understood as far as it was needed.
func (p *proxies) client(peer netip.Addr, header http.Header) (client netip.Addr, ok bool) {
	if p.count == 0 && !p.trusts(peer) {
		return peer, true
	}
	client = peer
	n := 0
	for hop := range hops(header[p.header], p.forwarded) {
		n++
		switch {
		case !hop.IsValid() || n > maxHops:
			return netip.Addr{}, false
		case n == p.count, p.count == 0 && !p.trusts(hop):
			return hop, true
		}
		client = hop
	}
	if n > 0 && n < p.count {
		return netip.Addr{}, false // which of them was the first proxy is not known
	}
	return client, true // a proxy asks for itself
}

// address corrects the address that the request's facts start with, which is that
// of the TCP peer. It returns what identifies a header that makes no sense.
func (h *handler) address(r *http.Request) (garbled string) {
	a := middleware.GetClientIPAddr(r.Context())
	if !h.proxies.zero() {
		var ok bool
		if a, ok = h.proxies.client(peerAddr(r.RemoteAddr), r.Header); !ok {
			garbled = chainHash(r.Header[h.proxies.header])
		}
	} else if !a.IsValid() {
		return ""
	}
	ip := ""
	if a.IsValid() {
		ip = a.Unmap().WithZone("").String()
	}
	entaudit.SetRequest(r.Context(), func(q *entaudit.Request) { q.IP = ip })
	return garbled
}

// chainHash identifies the values of a header without keeping them.
func chainHash(values []string) string {
	sum := sha256.New()
	for _, v := range values {
		sum.Write([]byte(v))
		sum.Write([]byte("\n"))
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// peerAddr returns the address of the TCP peer. net/http always gives one with a
// port: without it something has overwritten it from a header that any client can
// set, and the true one is unknown.
func peerAddr(remote string) netip.Addr {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// parseHop returns the address that one proxy has written, with or without a port.
// It is not valid where that is anything else.
func parseHop(s string) netip.Addr {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return known(a.Addr())
	}
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		s = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return known(a)
}

// known returns a in the one form that it has here, and nothing for the addresses
// that stand for none.
func known(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
