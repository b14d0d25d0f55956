package chiaudit

import (
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
type fingerprinter struct {
	mu  *sync.Mutex
	mac hash.Hash
}

// newFingerprinter returns one with the given key, or with a random one where there
// is none.
func newFingerprinter(key []byte, field string) (fingerprinter, error) {
	if key == nil {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	} else if err := checkSecret(key); err != nil {
		return fingerprinter{}, fmt.Errorf("chiaudit: %s: %w", field, err)
	}
	return fingerprinter{&sync.Mutex{}, hmac.New(sha256.New, key)}, nil
}

// of returns the fingerprint of a credential. Of one that is too long to be any the
// beginning and the length are enough, or it would cost what its sender likes.
func (f fingerprinter) of(credential string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mac.Reset()
	begin := credential[:min(len(credential), maxToken)]
	f.mac.Write(append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(begin)), uint64(len(credential))), begin...))
	return hex.EncodeToString(f.mac.Sum(nil)[:16])
}
