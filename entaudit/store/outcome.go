package store

import (
	"strings"

	"github.com/entaudit/audit/entaudit"
)

// unknown reports whether a statement that ended in err may have been executed all
// the same: the server did not say that it was not.
func unknown(err error) bool {
	family, code, _ := strings.Cut(entaudit.ErrorCode(err), " ")
	code, _, _ = strings.Cut(code, " ")
	switch family {
	case "sqlstate":
		// The connection, a completion that is not known, and a server that stops.
		return strings.HasPrefix(code, "08") || code == "40003" || strings.HasPrefix(code, "57P")
	case "mysql":
		return code == "1053" || code == "1927" // a server that stops, a session that was killed
	case "sqlite":
		return false
	}
	return true
}
