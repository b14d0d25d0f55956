package chiaudit

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// requestIDHeader carries the request id in both directions.
const requestIDHeader = "X-Request-Id"

// requestID returns the id of a request: the one that chi's RequestID put into
// the context, else a valid one from the client, else a new one. replaced is
// true where an id was given and could not be used.
func requestID(ctx context.Context, header http.Header) (id string, replaced bool) {
	if id := middleware.GetReqID(ctx); id != "" {
		if validID(id, true) {
			return id, false
		}
		replaced = true // chi takes over what the client sent, whatever it is
	}
	given := header[requestIDHeader]
	if len(given) == 1 && validID(given[0], false) {
		return given[0], false
	}
	return uuid.Must(uuid.NewV7()).String(), replaced || len(given) > 0
}

// validID reports whether s may be a request id. The ids that chi makes contain
// one slash, after the name of the host.
func validID(s string, slash bool) bool {
	if s == "" || len(s) > entaudit.LimitRequestID {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		case c == '/' && slash:
			slash = false
		default:
			return false
		}
	}
	return true
}

// traceID returns the trace id of a valid W3C traceparent header, else "".
func traceID(header http.Header) string {
	values := header["Traceparent"]
	if len(values) != 1 {
		return ""
	}
	s := values[0]
	// version-trace-parent-flags; later versions may append more fields.
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return ""
	}
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:55]
	switch {
	case version == "ff", version == "00" && len(s) != 55, len(s) > 55 && s[55] != '-':
		return ""
	case !lowerHex(version), !lowerHex(trace), !lowerHex(parent), !lowerHex(flags):
		return ""
	case strings.Trim(trace, "0") == "", strings.Trim(parent, "0") == "":
		return ""
	}
	return trace
}

func lowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// peer returns the address of the TCP peer as text, "" where it is not known.
func peer(remote string) string {
	if a := peerAddr(remote); a.IsValid() {
		return a.String()
	}
	return ""
}
