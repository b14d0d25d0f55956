package fault

import (
	"bufio"
	"encoding/binary"
	"io"
	"strings"
	"sync"
)

// mysql is the protocol of MySQL and MariaDB: three bytes of length, a number that counts
// from 0 with each command, and a command or a part of its answer. An answer does not name
// the statement, so that the last one is remembered.
type mysql struct {
	mu        sync.Mutex
	executing string // of which nothing has been answered yet
	preparing string
	prepared  map[uint32]string
}

// Commands, as the first byte of a packet.
const (
	comQuery   = 0x03
	comPrepare = 0x16
	comExecute = 0x17
)

const packetHeader = 4

func (p *mysql) up(r *bufio.Reader) (m []byte, query string, reply []byte, err error) {
	m, err = readPacket(r)
	if err != nil {
		return nil, "", nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.executing, p.preparing = "", ""
	if m[3] != 0 || len(m) == packetHeader {
		return m, "", nil, nil // a part of the login
	}
	switch body := m[packetHeader+1:]; m[packetHeader] {
	case comQuery:
		p.executing = string(body)
	case comPrepare:
		p.preparing = string(body)
		return m, "", nil, nil
	case comExecute:
		if len(body) < 4 {
			return nil, "", nil, errMessage
		}
		p.executing = p.prepared[binary.LittleEndian.Uint32(body)]
	}
	return m, p.executing, nil, nil
}

func (p *mysql) down(r *bufio.Reader) (m []byte, done string, ready bool, err error) {
	m, err = readPacket(r)
	if err != nil {
		return nil, "", false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	const accepted = 0 // as the first byte; the number of the statement follows
	if body := m[packetHeader:]; p.preparing != "" && len(body) >= 5 && body[0] == accepted {
		if p.prepared == nil {
			p.prepared = map[uint32]string{}
		}
		p.prepared[binary.LittleEndian.Uint32(body[1:])] = p.preparing
	}
	const failed = 0xff
	if len(m) > packetHeader && m[packetHeader] != failed {
		done = strings.ToUpper(p.executing)
	}
	p.executing, p.preparing = "", ""
	return m, done, true, nil // nothing of a statement is undone after the first packet of its answer
}

func readPacket(r io.Reader) ([]byte, error) {
	m := make([]byte, packetHeader, 1024)
	if _, err := io.ReadFull(r, m); err != nil {
		return nil, err
	}
	n := int(m[0]) | int(m[1])<<8 | int(m[2])<<16
	m = append(m, make([]byte, n)...)
	_, err := io.ReadFull(r, m[packetHeader:])
	return m, err
}
