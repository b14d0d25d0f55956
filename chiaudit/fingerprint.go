package chiaudit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

// fingerprinter tells credentials apart without giving them away. It is safe for
// concurrent use.
type fingerprinter struct{ macs *sync.Pool } // of hash.Hash

// newFingerprinter returns one with the given key, or with a random one where there
// is none.
func newFingerprinter(key []byte, field string) (fingerprinter, error) {
	if key == nil {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	} else if err := checkSecret(key); err != nil {
		return fingerprinter{}, fmt.Errorf("chiaudit: %s: %w", field, err)
	}
	key = bytes.Clone(key)
	return fingerprinter{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}, nil
}

// of returns the fingerprint of a credential. Of one that is too long to be any the
// beginning and the length are enough, or it would cost what its sender likes.
func (f fingerprinter) of(credential string) string {
	mac := f.macs.Get().(hash.Hash)
	defer f.macs.Put(mac)
	mac.Reset()
	begin := credential[:min(len(credential), maxToken)]
	mac.Write(append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(begin)), uint64(len(credential))), begin...))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
