package fault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// message is one message of PostgreSQL's protocol, as it goes over the wire: a letter,
// the length of what follows, and that.
type message []byte

const header = 5

func (m message) kind() byte { return m[0] }

func (m message) body() []byte { return m[header:] }

// query returns the text of a message that brings a statement, else "".
func (m message) query() string {
	switch m.kind() {
	case 'Q':
		text, _, _ := bytes.Cut(m.body(), []byte{0})
		return string(text)
	case 'P': // its name stands in front
		_, rest, _ := bytes.Cut(m.body(), []byte{0})
		text, _, _ := bytes.Cut(rest, []byte{0})
		return string(text)
	}
	return ""
}

// maxMessage is what a server of PostgreSQL takes at most.
const maxMessage = 1 << 30

var errMessage = errors.New("fault: not a message of PostgreSQL's protocol")

// readMessage reads a message; the first of a client has no letter.
func readMessage(r io.Reader, first bool) (message, error) {
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
func wantsEncryption(first message) bool {
	const ssl, gss = 80877103, 80877104
	if len(first) != 8 {
		return false
	}
	code := binary.BigEndian.Uint32(first[4:])
	return code == ssl || code == gss
}
