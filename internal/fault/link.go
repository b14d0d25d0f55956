package fault

import (
	"bufio"
	"errors"
	"net"
	"sync"
)

// link is one connection of a client and that to the server.
type link struct {
	proxy          *Proxy
	wire           wire
	client, server net.Conn
	sent           int // bytes that the client has sent since a cut by bytes is the next
	ending         sync.Once
}

// run passes messages until either side ends or the connection is cut.
func (l *link) run() {
	var up sync.WaitGroup
	up.Go(func() {
		defer l.end(false)
		l.up()
	})
	l.down()
	l.end(false)
	up.Wait()
}

// up passes messages of the client.
func (l *link) up() {
	for r := bufio.NewReader(l.client); ; {
		m, query, reply, err := l.wire.up(r)
		if err != nil {
			return
		}
		if reply != nil {
			if _, err := l.client.Write(reply); err != nil {
				return
			}
			continue
		}
		if query != "" && l.proxy.take(func(c Cut) bool { return c.sent(query) }) {
			l.end(true)
			return
		}
		if l.send(m) != nil {
			return
		}
	}
}

var errCut = errors.New("fault: cut")

// send passes a message to the server, or a part of it and cuts.
func (l *link) send(m []byte) error {
	n := len(m)
	cut := l.proxy.take(func(c Cut) bool {
		if c.Bytes == 0 {
			l.sent = 0
			return false
		}
		if l.sent+len(m) < c.Bytes {
			l.sent += len(m)
			return false
		}
		n = c.Bytes - l.sent
		return true
	})
	if _, err := l.server.Write(m[:n]); err != nil {
		return err
	}
	if cut {
		l.end(true)
		return errCut
	}
	return nil
}

// down passes messages of the server. What belongs to an answer that the client must
// not hear of is held back until the server has done all of it.
func (l *link) down() {
	r := bufio.NewReader(l.server)
	for held := false; ; {
		m, done, ready, err := l.wire.down(r)
		if err != nil {
			return
		}
		held = held || done != "" && l.proxy.take(func(c Cut) bool { return c.answered(done) })
		if held && ready {
			l.end(true)
			return
		}
		if held {
			continue
		}
		if _, err := l.client.Write(m); err != nil {
			return
		}
	}
}

// end closes both sides, once; with reset the other ends see a connection that is
// reset, in the middle of whatever they do.
func (l *link) end(reset bool) {
	l.ending.Do(func() {
		for _, c := range []net.Conn{l.client, l.server} {
			if t, ok := c.(*net.TCPConn); ok && reset {
				_ = t.SetLinger(0) // it is closed at once
			}
			_ = c.Close() // there is nobody to tell
		}
	})
}
