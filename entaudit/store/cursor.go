package store

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// ErrCursor says that a cursor was not returned for the filter it is used with.
var ErrCursor = errors.New("not a cursor of this filter")

// A cursor is the id of the last entry of a page and a checksum over it and the
// filter. It opens nothing that the filter does not select: the checksum is
// against mistakes, not a secret.
const (
	cursorVersion = 1
	sumSize       = 8
	cursorSize    = 1 + len(uuid.UUID{}) + sumSize
)

// cursor returns the cursor that goes on after the entry with this id.
func (f Filter) cursor(id uuid.UUID) string {
	b := append([]byte{cursorVersion}, id[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, f.sum(b)...))
}

// after returns the id that f.Cursor goes on after.
func (f Filter) after() (id uuid.UUID, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(f.Cursor)
	if err != nil || len(b) != cursorSize || b[0] != cursorVersion {
		return uuid.Nil, ErrCursor
	}
	head, sum := b[:cursorSize-sumSize], b[cursorSize-sumSize:]
	if subtle.ConstantTimeCompare(sum, f.sum(head)) != 1 {
		return uuid.Nil, ErrCursor
	}
	copy(id[:], head[1:])
	return id, nil
}

// sum returns the checksum of a cursor: over its head and all that selects and
// orders entries.
func (f Filter) sum(head []byte) []byte {
	f.Cursor, f.Limit = "", 0
	f.Since, f.Until = f.Since.UTC().Round(0), f.Until.UTC().Round(0)
	data, err := json.Marshal(f)
	if err != nil {
		// Only years beyond 9999 cannot be marshalled, and validate refuses them.
		data = []byte(err.Error())
	}
	h := sha256.Sum256(slices.Concat(head, data))
	return h[:sumSize]
}
