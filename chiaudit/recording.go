package chiaudit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// minKey is the shortest key that an HMAC is made with.
const minKey = 32

// recording is what Options say about the content of entries, in the form that
// requests need.
type recording struct {
	mask    *entaudit.Redactor
	limit   int // bytes of a body
	inBody  int // limit, or 0 where request bodies are not recorded
	outBody int
	rules   []rule
	headers headerNames
}

func newRecording(rec *entaudit.Recorder, o Options) (recording, error) {
	switch {
	case o.MaxBody < 0:
		return recording{}, fmt.Errorf("chiaudit: Options.MaxBody: %d is negative", o.MaxBody)
	case len(o.Key) > 0 && len(o.Key) < minKey:
		return recording{}, fmt.Errorf("chiaudit: Options.Key: has %d bytes, and at least %d are needed", len(o.Key), minKey)
	}
	c := rec.Config()
	mask, err := entaudit.NewRedactor(entaudit.Redact{
		Keys:       slices.Concat(c.Redact.Keys, o.Redact.Keys),
		Allow:      slices.Concat(c.Redact.Allow, o.Redact.Allow),
		KeepValues: c.Redact.KeepValues || o.Redact.KeepValues,
	})
	if err != nil {
		return recording{}, errors.New("chiaudit: Options.Redact.Keys: one of them has no letters or digits")
	}
	r := recording{mask: mask, limit: min(cmp.Or(o.MaxBody, DefaultMaxBody), c.MaxValue)}
	if r.headers, err = newHeaderNames(o.Headers, mask); err != nil {
		return recording{}, err
	}
	exclude := o.Exclude
	if !o.NoDefaultExclude {
		exclude = slices.Concat(exclude, DefaultExclude())
	}
	if r.rules, err = newRules(exclude); err != nil {
		return recording{}, err
	}
	if !o.NoRequestBody {
		r.inBody = r.limit
	}
	if o.ResponseBody {
		r.outBody = r.limit
	}
	return r, nil
}
