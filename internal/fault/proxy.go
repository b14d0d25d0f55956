// Package fault makes things go wrong at a chosen moment: it stands between a program
// and its database and cuts the connection.
package fault

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"entgo.io/ent/dialect"
)

// Proxy stands in front of a database server, without encryption, and cuts
// connections. It is safe for concurrent use.
type Proxy struct {
	wire     func() wire
	server   string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	armed  []Cut // the first is the next to happen
	cuts   int
	conns  []net.Conn // all there ever were
	closed bool
}

// New returns a Proxy on the loopback interface in front of the server at an address. The
// dialect is one of ent's: postgres, or mysql, which MariaDB speaks too.
func New(ctx context.Context, dialectName, server string) (*Proxy, error) {
	var protocol func() wire
	switch dialectName {
	case dialect.Postgres:
		protocol = func() wire { return &postgres{} }
	case dialect.MySQL:
		protocol = func() wire { return &mysql{} }
	default:
		return nil, fmt.Errorf("fault: no proxy for %q", dialectName)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{wire: protocol, server: server, listener: l}
	p.running.Go(p.accept)
	return p, nil
}

// Addr returns the address to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Arm lets cuts happen, one after the other, each once, on whatever connection, and
// forgets those that have not happened.
func (p *Proxy) Arm(cuts ...Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = slices.Clone(cuts)
}

// Cuts returns how many connections were cut.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Close ends all connections and returns when nothing runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		_ = c.Close() // whoever reads from it sees that
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // the proxy is closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.server)
	if err != nil {
		_ = client.Close() // the client sees that nobody is there
		return
	}
	l := &link{proxy: p, wire: p.wire(), client: client, server: server}
	if !p.keep(client, server) {
		l.end(false)
		return
	}
	l.run()
}

// keep remembers connections, to be closed with the proxy, unless that is closed.
func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	return !p.closed
}

// take reports whether the next cut is one that happens now, and counts it.
func (p *Proxy) take(happens func(Cut) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.armed) == 0 || !happens(p.armed[0]) {
		return false
	}
	p.armed = p.armed[1:]
	p.cuts++
	return true
}
