package fault

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// postgres is PostgreSQL's protocol: a letter, the length of what follows, and that.
type postgres struct{ begun bool }

func (p *postgres) up(r *bufio.Reader) (m []byte, query string, reply []byte, err error) {
	m, err = readMessage(r, !p.begun)
	switch {
	case err != nil:
		return nil, "", nil, err
	case p.begun:
		return m, statement(m), nil, nil
	case wantsEncryption(m):
		return m, "", []byte{'N'}, nil
	}
	p.begun = true
	return m, "", nil, nil
}

func (*postgres) down(r *bufio.Reader) (m []byte, done string, ready bool, err error) {
	m, err = readMessage(r, false)
	if err == nil && m[0] == 'C' {
		done = string(m[header:])
	}
	return m, done, err == nil && m[0] == 'Z', err
}

const header = 5

// statement returns the text of a message that brings a statement, else "".
func statement(m []byte) string {
	switch m[0] {
	case 'Q':
		text, _, _ := bytes.Cut(m[header:], []byte{0})
		return string(text)
	case 'P': // its name stands in front
		_, rest, _ := bytes.Cut(m[header:], []byte{0})
		text, _, _ := bytes.Cut(rest, []byte{0})
		return string(text)
	}
	return ""
}

// maxMessage is what a server of PostgreSQL takes at most.
const maxMessage = 1 << 30

// readMessage reads a message; the first of a client has no letter.
func readMessage(r io.Reader, first bool) ([]byte, error) {
	head := make([]byte, header, 1024)
	if first {
		head = head[1:]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[len(head)-4:])
	if n < 4 || n > maxMessage {
		return nil, errMessage
	}
	m := append(head, make([]byte, n-4)...)
	_, err := io.ReadFull(r, m[len(head):])
	return m, err
}

// wantsEncryption reports whether the first message asks for it.
func wantsEncryption(first []byte) bool {
	const ssl, gss = 80877103, 80877104
	if len(first) != 8 {
		return false
	}
	code := binary.BigEndian.Uint32(first[4:])
	return code == ssl || code == gss
}
