package gotype

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"
)

// Key is an id of sixteen bytes that is stored as bytes.
type Key [16]byte

// NewKey returns a random Key.
func NewKey() (k Key) {
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(k[:])
	return k
}

// String returns the key as entries name it.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Value implements driver.Valuer.
func (k Key) Value() (driver.Value, error) { return k[:], nil }

// Scan implements sql.Scanner.
func (k *Key) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(k) {
		return fmt.Errorf("gotype: %T is no key", v)
	}
	copy(k[:], b)
	return nil
}

// Code is an id whose stored form has a prefix that the program never sees.
type Code string

// codePrefix stands before every stored Code.
const codePrefix = "code:"

// Value implements driver.Valuer.
func (c Code) Value() (driver.Value, error) { return codePrefix + string(c), nil }

// Scan implements sql.Scanner.
func (c *Code) Scan(v any) error {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	}
	text, ok := strings.CutPrefix(s, codePrefix)
	if !ok {
		return fmt.Errorf("gotype: %q is no code", s)
	}
	*c = Code(text)
	return nil
}
