package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// MaxBody is the size of a body in bytes above which [Verify] refuses a request. The
// largest entry has a fourth of that.
const MaxBody = 16 << 20

// DefaultTolerance is how far the clocks of sender and receiver may differ.
const DefaultTolerance = 5 * time.Minute

// ErrSignature is returned, wrapped, for a request that does not come from who has the
// secret, or not now.
var ErrSignature = errors.New("not a valid signature")

// Delivery is a request that was verified.
type Delivery struct {
	ID   string    // the same whenever the same entries are sent
	Time time.Time // when it was sent
	Body []byte

	mediaType string
}

// Verify reads a request and reports whether who sent it has secret, and sent it within
// tolerance of now; zero means [DefaultTolerance]. The error says no more than the
// sender may know. The request's body can be read again afterwards.
//
// Somebody who has seen a request can send it again for as long as the tolerance: a receiver
// that keeps entries by their id is not harmed by that, any other remembers
// Delivery.ID for twice as long.
func Verify(r *http.Request, secret []byte, tolerance time.Duration) (*Delivery, error) {
	if err := checkSecret(secret); err != nil {
		return nil, fmt.Errorf("webhook: verify: the secret %w", err)
	}
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	id, err := only(r.Header, HeaderID)
	if err != nil {
		return nil, err
	}
	stamp, err := only(r.Header, HeaderTimestamp)
	if err != nil {
		return nil, err
	}
	signatures, err := only(r.Header, HeaderSignature)
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp {
		return nil, fmt.Errorf("webhook: verify: %w: no time", ErrSignature)
	}
	at := time.Unix(seconds, 0)
	if age := time.Since(at); age > tolerance || age < -tolerance {
		return nil, fmt.Errorf("webhook: verify: %w: its time has passed or has not come", ErrSignature)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("webhook: verify: read the body: %w", err)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("webhook: verify: the body is longer than %d bytes", MaxBody)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !signed(signatures, secret, id, at, body) {
		return nil, fmt.Errorf("webhook: verify: %w", ErrSignature)
	}
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // what is not one is read as JSON
	return &Delivery{ID: id, Time: at, Body: body, mediaType: mediaType}, nil
}

// only returns the one value of a header.
func only(h http.Header, name string) (string, error) {
	if v := h.Values(name); len(v) == 1 && v[0] != "" {
		return v[0], nil
	}
	return "", fmt.Errorf("webhook: verify: %w: not one header %s", ErrSignature, name)
}

// Entries returns the entries of a delivery in either format.
func (d *Delivery) Entries() ([]entaudit.Entry, error) {
	var entries []entaudit.Entry
	if d.mediaType != NDJSON.mediaType() {
		if err := json.Unmarshal(d.Body, &entries); err != nil {
			return nil, fmt.Errorf("webhook: decode entries: %w", err)
		}
		return entries, nil
	}
	for line := range bytes.Lines(d.Body) {
		var e entaudit.Entry
		if err := e.UnmarshalJSON(line); err != nil {
			return nil, fmt.Errorf("webhook: decode entry %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
