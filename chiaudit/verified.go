package chiaudit

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// maxVerified is how many tokens one of the two halves of verifiedTokens holds.
const maxVerified = 2048

// verified is what a valid token has proven.
type verified struct {
	identity Identity
	expires  time.Time
	keys     keySource
	version  uint64 // of keys, before the token was verified
}

// verifiedTokens remembers tokens by their hash, so that a client pays for its
// signature once. What goes in is verified, so that nobody without a key can fill
// it. The zero value is empty; it is safe for concurrent use.
type verifiedTokens struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]verified
}

// get returns what the token with the hash has proven. It forgets one that has expired,
// and one of a key set that is no longer the one that it was verified with: the keys
// that were taken from the set may be among those that are gone.
func (v *verifiedTokens) get(hash [sha256.Size]byte, now time.Time) (Identity, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, young := v.young[hash]
	if !young {
		var old bool
		if t, old = v.old[hash]; !old {
			return Identity{}, false
		}
	}
	if version := t.keys.version(); version == 0 || version != t.version || !now.Before(t.expires) {
		delete(v.young, hash)
		delete(v.old, hash)
		return Identity{}, false
	}
	if !young {
		v.keep(hash, t)
	}
	id := t.identity
	id.Actor.Chain = slices.Clone(id.Actor.Chain)
	return id, true
}

func (v *verifiedTokens) put(hash [sha256.Size]byte, t verified) {
	t.identity.Actor.Chain = slices.Clone(t.identity.Actor.Chain)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep(hash, t)
}

// keep forgets the half that has not been used for longer, when the other is full.
func (v *verifiedTokens) keep(hash [sha256.Size]byte, t verified) {
	if v.young == nil || len(v.young) >= maxVerified {
		v.old, v.young = v.young, make(map[[sha256.Size]byte]verified)
	}
	v.young[hash] = t
}
