package chiaudit

import (
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// selects reports whether e, of this request, is to be recorded, and as one of what
// share of its like, 1 for all. What tells of somebody who was kept out always is.
func (c *capture) selects(e *entaudit.Entry) (wanted bool, share float64) {
	share = 1
	auth, _ := c.findings.all()
	switch route := c.remarks.routeOptions(); {
	case e.Outcome == entaudit.Denied, e.Request.StatusCode == 401, e.Request.StatusCode == 403, len(auth) > 0, route.Record:
		return true, share
	case route.Exclude, c.h.opts.SkipAnonymous && anonymous(e) && !changing(c.method):
		return false, share
	}
	for i := range c.h.rules {
		r := &c.h.rules[i]
		if !r.matches(c.method, c.path, e) {
			continue
		}
		if r.Keep > 0 && e.Outcome != entaudit.Success && len(r.Status) == 0 {
			continue
		}
		if !r.keeps(e.ID) {
			return false, share
		}
		share = min(share, r.Keep)
	}
	return true, share
}

// anonymous reports whether nobody is known, for certain.
func anonymous(e *entaudit.Entry) bool {
	a := e.Actor
	if e.Marks["actor"] == entaudit.MarkUnknown {
		return false
	}
	return a.ID == "" && a.Email == "" && a.ImpersonatorID == "" && slices.Contains([]entaudit.ActorType{"", entaudit.ActorAnonymous}, a.Type)
}
