// Package vault encrypts texts before they reach the database.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"

	"entgo.io/ent/schema/field"
)

// Note returns a value scanner that encrypts a text on its way into the database
// and decrypts it on its way out. What the database holds, and therefore what an
// entry holds, is never the plain text.
//
// The key is derived from the passphrase alone: good enough for a program that
// shows how the parts fit, and unsafe for anything else.
func Note(passphrase string) field.ValueScannerFunc[string, *sql.NullString] {
	key := sha256.Sum256([]byte(passphrase))
	return field.ValueScannerFunc[string, *sql.NullString]{
		V: func(s string) (driver.Value, error) {
			if s == "" {
				return "", nil
			}
			return seal(key, s)
		},
		S: func(ns *sql.NullString) (string, error) {
			if !ns.Valid || ns.String == "" {
				return "", nil
			}
			return open(key, ns.String)
		},
	}
}

func seal(key [sha256.Size]byte, plain string) (string, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("vault: nonce: %w", err)
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(plain), nil)), nil
}

func open(key [sha256.Size]byte, sealed string) (string, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return "", err
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("vault: %w", err)
	}
	if len(data) < aead.NonceSize() {
		return "", errors.New("vault: too short")
	}
	plain, err := aead.Open(nil, data[:aead.NonceSize()], data[aead.NonceSize():], nil)
	if err != nil {
		return "", fmt.Errorf("vault: %w", err)
	}
	return string(plain), nil
}

func newAEAD(key [sha256.Size]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return cipher.NewGCM(block)
}
