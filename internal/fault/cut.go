package fault

import (
	"bytes"
	"strings"
)

// Cut says when a connection is cut. One field is set.
type Cut struct {
	// Answer cuts when the server has executed a statement whose tag begins with
	// this, such as "COMMIT" or "INSERT", and before the client hears of it. A
	// statement of its own transaction has committed by then.
	Answer string
	// Query cuts before a statement that begins with this, in small letters, reaches
	// the server.
	Query string
	// Bytes cuts in the middle of what a client sends, after so many bytes.
	Bytes int
}

// sent reports whether a message of the client is one to cut before.
func (c Cut) sent(m message) bool {
	return c.Query != "" && strings.HasPrefix(strings.ToLower(m.query()), c.Query)
}

// answered reports whether a message of the server says that the statement has been
// executed.
func (c Cut) answered(m message) bool {
	return c.Answer != "" && m.kind() == 'C' && bytes.HasPrefix(m.body(), []byte(c.Answer))
}
