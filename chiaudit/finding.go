package chiaudit

import (
	"slices"
	"sync"

	"github.com/entaudit/audit/entaudit"
)

// finding is what identifying a request leaves to be said on its entry.
type finding struct {
	auth        string          // the reason of a failed authentication
	fingerprint string          // of the credential that failed
	subject     string          // whom that credential claims to be
	badTenant   bool            // what names the tenant makes no sense
	accord      accord          // of the tenants that are asked for with the one that is proven
	asked       string          // the tenant that is asked for, where it is another one
	garbled     string          // the hash of a forwarding header that makes no sense
	unproven    entaudit.Tenant // the tenant that the request asks for, where no credential names one
}

// findings are those of all the handlers of one Recorder that a request passes,
// of which one may still run when the request has been answered for it. It is
// safe for concurrent use.
type findings struct {
	mu      sync.Mutex
	reasons []string // each once, in order
	first   finding  // of each kind the first
}

func (fs *findings) add(f finding) {
	if f == (finding{}) {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.auth != "" && !slices.Contains(fs.reasons, f.auth) {
		fs.reasons = append(fs.reasons, f.auth)
	}
	if f.accord == contradicted && !slices.Contains(fs.reasons, ReasonTenantMismatch) {
		fs.reasons = append(fs.reasons, ReasonTenantMismatch)
	}
	fs.first.badTenant = fs.first.badTenant || f.badTenant
	fs.first.accord = max(fs.first.accord, f.accord)
	if !f.unproven.IsZero() {
		fs.first.unproven = f.unproven
	}
	keep(&fs.first.fingerprint, f.fingerprint)
	keep(&fs.first.subject, f.subject)
	keep(&fs.first.asked, f.asked)
	keep(&fs.first.garbled, f.garbled)
}

func keep(first *string, s string) {
	if *first == "" {
		*first = s
	}
}

// all returns the reasons, and whether a tenant was named that is none.
func (fs *findings) all() (reasons []string, badTenant bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.reasons), fs.first.badTenant
}

// failed reports whether a credential was presented that is not known to be valid.
func (fs *findings) failed() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.first.fingerprint != "" || slices.ContainsFunc(fs.reasons, func(r string) bool { return r != ReasonTenantMismatch })
}

// wrong reports whether a credential was presented that is known not to be valid.
func (fs *findings) wrong() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.ContainsFunc(fs.reasons, func(r string) bool { return r != ReasonTenantMismatch && r != ReasonKeysUnavailable })
}

// disagree reports whether another tenant than the proven one may be asked for.
func (fs *findings) disagree() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.first.accord != agreed
}

// onlyAsked reports whether t is known from nothing but what the request asks for.
func (fs *findings) onlyAsked(t entaudit.Tenant) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return t == fs.first.unproven
}

// describe tells what stands beside the reasons. Text that a client has chosen is
// bounded.
func (fs *findings) describe(note func(string, any), mark func(string, entaudit.Mark)) {
	fs.mu.Lock()
	f := fs.first
	fs.mu.Unlock()
	if f.garbled != "" {
		mark("ip_address", entaudit.MarkUnknown)
	}
	for _, d := range []struct{ name, text string }{
		{"credential_fingerprint", f.fingerprint},
		{"claimed_subject", f.subject},
		{"asked_tenant", f.asked},
		{"forwarded_hash", f.garbled},
	} {
		if d.text == "" {
			continue
		}
		text, m := entaudit.Bound(d.text, entaudit.LimitName)
		if note(d.name, text); m != "" {
			mark("metadata."+d.name, m)
		}
	}
}
