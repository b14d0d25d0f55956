package chiaudit

import (
	"strconv"
	"strings"

	"github.com/entaudit/audit/entaudit"
)

// spell adds the code points of whoever acts where letters beyond ASCII could make one
// name look like another. The names themselves stay as they are: two that only look
// the same are never the same.
func (c *capture) spell() {
	a := &c.entry.Actor
	for _, v := range []struct{ name, text string }{
		{"actor_id_escaped", a.ID}, {"actor_email_escaped", a.Email}, {"impersonator_id_escaped", a.ImpersonatorID},
	} {
		if ascii(v.text) {
			continue
		}
		escaped := strings.ReplaceAll(strings.Trim(strconv.QuoteToASCII(v.text), `"`), `\"`, `"`)
		if len(escaped) > entaudit.LimitName {
			escaped = escaped[:entaudit.LimitName]
			if i := strings.LastIndexByte(escaped, '\\'); i > len(escaped)-len(`\u0430`) {
				escaped = escaped[:i] // no half of a code point
			}
		}
		c.note(v.name, escaped)
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
