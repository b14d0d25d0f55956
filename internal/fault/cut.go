package fault

import "strings"

// Cut says when a connection is cut. One field is set.
type Cut struct {
	// Answer cuts when the server has executed a statement that begins with this, such
	// as "COMMIT" or "INSERT", in capitals, and before the client hears of it. A
	// statement of its own transaction has committed by then.
	Answer string
	// Query cuts before a statement that begins with this, in small letters, reaches
	// the server.
	Query string
	// Bytes cuts in the middle of what a client sends, after so many bytes.
	Bytes int
}

// sent reports whether a client's statement is one to cut before.
func (c Cut) sent(query string) bool {
	return c.Query != "" && strings.HasPrefix(strings.ToLower(query), c.Query)
}

// answered reports whether a statement that has been executed is one to cut after.
func (c Cut) answered(done string) bool {
	return c.Answer != "" && strings.HasPrefix(done, c.Answer)
}
