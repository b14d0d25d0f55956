package entaudit

// Request is the HTTP part of an entry. Entries of mutations made inside a
// request carry what was known when they were written; status and final route
// are on the request's own entry.
type Request struct {
	ID         string
	TraceID    string
	Method     string
	Path       string
	Route      string // the router's pattern, "" when none matched
	Query      string // redacted
	StatusCode int    // as sent to the client; 0 when nothing was sent
	IP         string // "" when unknown
	UserAgent  string
}
