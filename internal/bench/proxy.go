package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy passes connections on to a server and counts their round trips: data of the
// client that data of the server follows. It can make each of them longer.
type proxy struct {
	listener net.Listener
	server   string
	delay    time.Duration
	trips    atomic.Int64
	running  sync.WaitGroup

	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

// newProxy listens on a port of the loopback address. delay is what it adds to a round
// trip, all of it on the way back: it takes a sleep of a whole millisecond to be exact.
func newProxy(ctx context.Context, server string, delay time.Duration) (*proxy, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, server: server, delay: delay}
	p.running.Go(p.accept)
	return p, nil
}

// addr returns the address to connect to instead of the server's.
func (p *proxy) addr() string { return p.listener.Addr().String() }

// close ends all connections.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.open {
		if cerr := c.Close(); !errors.Is(cerr, net.ErrClosed) {
			err = errors.Join(err, cerr)
		}
	}
	p.mu.Unlock()
	p.running.Wait()
	return err
}

// keep notes a connection that close has to end. It reports false after it.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, c)
	return !p.closed
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve passes one connection on until either end closes it.
func (p *proxy) serve(client net.Conn) {
	kept := p.keep(client)
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", p.server)
	if err != nil {
		// The client sees a connection that ends; what it makes of it is the result.
		_ = client.Close()
		return
	}
	kept = p.keep(server) && kept
	if !kept {
		_, _ = client.Close(), server.Close() // the proxy is closed
		return
	}
	var asked atomic.Bool
	p.running.Go(func() {
		pass(server, client, 0, func() { asked.Store(true) })
	})
	pass(client, server, p.delay, func() {
		if asked.Swap(false) {
			p.trips.Add(1)
		}
	})
}

// chunk is data to be passed on when it is due.
type chunk struct {
	data []byte
	due  time.Time
}

// pass copies what from sends to to, each part after delay, and closes both when either
// ends. seen is called for each part before it is passed on.
func pass(to, from net.Conn, delay time.Duration, seen func()) {
	chunks := make(chan chunk, 1024)
	var out sync.WaitGroup
	out.Go(func() {
		for c := range chunks {
			if delay > 0 {
				time.Sleep(time.Until(c.due))
			}
			if _, err := to.Write(c.data); err != nil {
				_ = from.Close() // ends the reading, where the error ends this
				break
			}
		}
		for range chunks { // the reader must not wait
			continue
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			seen()
			chunks <- chunk{append([]byte(nil), buf[:n]...), time.Now().Add(delay)}
		}
		if err != nil {
			break
		}
	}
	close(chunks)
	out.Wait()
	// Either end may have gone first; there is nobody to tell.
	_, _ = to.Close(), from.Close()
}
