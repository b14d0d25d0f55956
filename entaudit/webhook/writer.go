// Package webhook posts entries to an HTTP endpoint, signed, and verifies what such a
// request says where it arrives.
//
// Requests follow the Standard Webhooks scheme (https://www.standardwebhooks.com): an HMAC
// over id, time and body, so that any of its libraries verifies them. The id is that of
// the entries: the same batch has the same id whenever it is sent.
//
// A writer tries once. Put a queue in front of it, or [wrap.Retry]. Retry gives up where an
// [Error] is permanent, and waits as long as it asks, up to its own MaxWait; a queue and
// a relay wait at least as long as [entaudit.RetryAfter] says.
//
// [wrap.Retry]: https://pkg.go.dev/github.com/entaudit/audit/entaudit/wrap#Retry
package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// maxAnswer is how much of an answer is read, so that its connection can be used again.
const maxAnswer = 64 << 10

// Writer is a [entaudit.Writer] that posts entries. It is safe for concurrent use.
type Writer struct {
	cfg    Config
	client http.Client
	now    func() time.Time
	closed atomic.Bool
}

// New returns a Writer with the settings of c, or an error that names the field that is
// wrong.
func New(c Config) (*Writer, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Writer{
		cfg: c, now: time.Now,
		client: http.Client{
			Transport: c.Transport,
			Timeout:   c.Timeout,
			// A signed request goes where it was meant to go, and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// String returns "webhook".
func (w *Writer) String() string { return "webhook" }

// Write posts entries, in several requests where they are many. It ends with the first that
// fails, with an [Error]. A request has been taken when its answer is a 2xx; the receiver
// knows what it gets twice by the ids of the entries.
func (w *Writer) Write(ctx context.Context, entries []entaudit.Entry) error {
	if w.closed.Load() {
		return fmt.Errorf("webhook: %w", entaudit.ErrClosed)
	}
	b := batch{format: w.cfg.Format}
	for i := range entries {
		data, err := entries[i].MarshalJSON()
		if err != nil {
			return fmt.Errorf("webhook: encode entry %s: %w", entries[i].ID, err)
		}
		if b.n > 0 && (b.n == w.cfg.MaxEntries || b.size()+len(data) > w.cfg.MaxBytes) {
			if err := w.post(ctx, &b); err != nil {
				return err
			}
			b = batch{format: w.cfg.Format}
		}
		b.add(&entries[i], data)
	}
	if b.n == 0 {
		return nil
	}
	return w.post(ctx, &b)
}

// Close refuses further entries and closes idle connections. Nothing waits in a Writer.
func (w *Writer) Close(context.Context) error {
	w.closed.Store(true)
	w.client.CloseIdleConnections()
	return nil
}

// batch is the body of a request.
type batch struct {
	format Format
	body   bytes.Buffer
	ids    bytes.Buffer
	n      int
}

func (b *batch) size() int { return b.body.Len() + 2 }

func (b *batch) add(e *entaudit.Entry, data []byte) {
	if b.format == Array {
		sep := byte(',')
		if b.n == 0 {
			sep = '['
		}
		b.body.WriteByte(sep)
	}
	b.body.Write(data)
	if b.format == NDJSON {
		b.body.WriteByte('\n')
	}
	b.ids.Write(e.ID[:])
	b.n++
}

// end returns the id and the body of the request.
func (b *batch) end() (id string, body []byte) {
	if b.format == Array {
		b.body.WriteByte(']')
	}
	h := sha256.Sum256(b.ids.Bytes())
	return "msg_" + hex.EncodeToString(h[:16]), b.body.Bytes()
}

// post sends one request.
func (w *Writer) post(ctx context.Context, b *batch) error {
	id, body := b.end()
	at := w.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: make a request: the URL is not valid")
	}
	maps.Copy(req.Header, w.cfg.Header)
	req.Header.Set("Content-Type", w.cfg.Format.mediaType())
	req.Header.Set(HeaderID, id)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(HeaderSignature, sign(w.cfg.Secrets, id, at, body))
	resp, err := w.client.Do(req)
	if err != nil {
		return &Error{Err: plain(err)}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // what it says is of no interest, nor whether it can be read
	_ = resp.Body.Close()                             // nothing was written
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return &Error{Status: resp.StatusCode, After: retryAfter(resp.Header.Get("Retry-After"), at)}
}
