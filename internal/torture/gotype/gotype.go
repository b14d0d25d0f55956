// Package gotype has Go types for fields of the test graph.
package gotype

import (
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"net/netip"

	"entgo.io/ent/schema/field"
)

// Level is an integer of a Go type of its own.
type Level int

// Color is a string of a Go type of its own.
type Color string

// Amount is a decimal number that the database keeps exactly.
type Amount struct{ Text string }

// Panic is the text of an Amount whose Value panics.
const Panic = "panic"

// Value implements driver.Valuer.
func (a Amount) Value() (driver.Value, error) {
	if a.Text == Panic {
		panic(Panic)
	}
	return a.Text, nil
}

// Scan implements sql.Scanner.
func (a *Amount) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		a.Text = ""
	case []byte:
		a.Text = string(v)
	default:
		a.Text = fmt.Sprint(v)
	}
	return nil
}

// Addr is an address that is stored as text.
type Addr struct{ netip.Addr }

// Value implements driver.Valuer.
func (a Addr) Value() (driver.Value, error) { return a.String(), nil }

// Scan implements sql.Scanner.
func (a *Addr) Scan(v any) (err error) {
	switch v := v.(type) {
	case string:
		a.Addr, err = netip.ParseAddr(v)
	case []byte:
		a.Addr, err = netip.ParseAddr(string(v))
	}
	return err
}

// Sealed encrypts a text before it reaches the database.
func Sealed() field.ValueScannerFunc[string, *sql.NullString] {
	block, err := aes.NewCipher([]byte("0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	crypt := func(b []byte) []byte {
		out := make([]byte, len(b))
		cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(out, b) //nolint:gosec // a test must know what is stored
		return out
	}
	return field.ValueScannerFunc[string, *sql.NullString]{
		V: func(s string) (driver.Value, error) { return hex.EncodeToString(crypt([]byte(s))), nil },
		S: func(ns *sql.NullString) (string, error) {
			b, err := hex.DecodeString(ns.String)
			return string(crypt(b)), err
		},
	}
}
