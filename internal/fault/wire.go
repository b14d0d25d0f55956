package fault

import (
	"bufio"
	"errors"
)

// wire is what a proxy understands of the protocol of one connection.
type wire interface {
	// up reads what a client sends: a whole message, and the statement that it brings for
	// execution, if any. A reply is to be sent back instead.
	up(r *bufio.Reader) (m []byte, query string, reply []byte, err error)
	// down reads what a server sends: a whole message, and the statement that it says has
	// been executed, in capitals, or as much of it as the protocol tells. After the last
	// message of an answer the server is ready for the next.
	down(r *bufio.Reader) (m []byte, done string, ready bool, err error)
}

var errMessage = errors.New("fault: not a message of the protocol")
