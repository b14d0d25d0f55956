package chiaudit

import (
	"slices"
	"sync"
)

// finding is what identifying a request leaves to be said on its entry.
type finding struct {
	auth      string // the reason of a failed authentication
	badTenant bool   // the tenant header held something else
}

// findings are those of all the handlers of one Recorder that a request passes,
// of which one may still run when the request has been answered for it. It is
// safe for concurrent use.
type findings struct {
	mu        sync.Mutex
	auth      []string // each reason once, in order
	badTenant bool
}

func (fs *findings) add(f finding) {
	if f == (finding{}) {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.auth != "" && !slices.Contains(fs.auth, f.auth) {
		fs.auth = append(fs.auth, f.auth)
	}
	fs.badTenant = fs.badTenant || f.badTenant
}

func (fs *findings) all() (auth []string, badTenant bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.auth), fs.badTenant
}
