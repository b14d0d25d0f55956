package chiaudit

import (
	"mime"
	"strings"
)

// kind is how a body is read in order to mask what is secret in it. Only kinds
// that can be read to the last name are recorded.
type kind int

const (
	kindOther kind = iota
	kindJSON
	kindForm
	kindMultipart
)

// maxContentType is how long a Content-Type may be to be looked at.
const maxContentType = 512

// media is what a body is said to be.
type media struct {
	kind     kind
	name     string // "application/json", "" where what was said is no media type
	boundary string // of multipart
	encoding string // Content-Encoding, "" for none
}

// mediaOf reads the headers of a body. What they say is a claim.
func mediaOf(contentType, encoding string) media {
	m := media{}
	if !strings.EqualFold(encoding, "identity") {
		m.encoding = encoding
	}
	if len(contentType) > maxContentType {
		return m
	}
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.Contains(name, "/") {
		return m
	}
	m.name = name
	switch {
	case name == "application/json", name == "text/json", strings.HasSuffix(name, "+json"):
		m.kind = kindJSON
	case name == "application/x-www-form-urlencoded":
		m.kind = kindForm
	case name == "multipart/form-data" && params["boundary"] != "":
		m.kind, m.boundary = kindMultipart, params["boundary"]
	}
	return m
}
