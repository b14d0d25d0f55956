package webhook_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/webhook"
)

// request returns what a writer with the secrets sends.
func request(t *testing.T, secrets ...[]byte) *http.Request {
	t.Helper()
	var sent *http.Request
	w := setup(t, webhook.Config{Secrets: secrets, Transport: transport(func(r *http.Request) (*http.Response, error) {
		data, err := io.ReadAll(r.Body)
		sent = httptest.NewRequest(http.MethodPost, "/in", bytes.NewReader(data))
		sent.Header = r.Header.Clone()
		return answer(200, nil, http.NoBody), err
	})})
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 2)))
	return sent
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		secret []byte
		change func(r *http.Request)
		err    string
	}{
		{"the secret", secret, func(*http.Request) {}, ""},
		{"the next secret", second, func(*http.Request) {}, ""},
		{"another secret", bytes.Repeat([]byte("u"), 32), func(*http.Request) {}, "not a valid signature"},
		{"no secret", nil, func(*http.Request) {}, "the secret has 0 bytes"},
		{"no signature", secret, func(r *http.Request) { r.Header.Del(webhook.HeaderSignature) }, webhook.HeaderSignature},
		{"two signatures", secret, func(r *http.Request) { r.Header.Add(webhook.HeaderSignature, "v1,x") }, webhook.HeaderSignature},
		{"no id", secret, func(r *http.Request) { r.Header.Del(webhook.HeaderID) }, webhook.HeaderID},
		{"another id", secret, func(r *http.Request) { r.Header.Set(webhook.HeaderID, "msg_1") }, "not a valid signature"},
		{"no time", secret, func(r *http.Request) { r.Header.Del(webhook.HeaderTimestamp) }, webhook.HeaderTimestamp},
		{"another time", secret, func(r *http.Request) {
			r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(time.Now().Unix()+1, 10))
		}, "not a valid signature"},
		{"a time in another form", secret, func(r *http.Request) {
			r.Header.Set(webhook.HeaderTimestamp, "+"+r.Header.Get(webhook.HeaderTimestamp))
		}, "no time"},
		{"another body", secret, func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader([]byte("[]"))) }, "not a valid signature"},
		{"a body without end", secret, func(r *http.Request) { r.Body = io.NopCloser(&endless{}) }, "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := request(t, secret, second)
			tt.change(r)
			d, err := webhook.Verify(r, tt.secret, 0)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.Nil(t, d)
				return
			}
			require.NoError(t, err)
			again, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, d.Body, again)
			entries, err := d.Entries()
			require.NoError(t, err)
			require.Len(t, entries, 2)
		})
	}
}

func TestVerifyRefusesReplays(t *testing.T) {
	t.Parallel()
	for wait, ok := range map[time.Duration]bool{
		0: true, 59 * time.Second: true, 62 * time.Second: false, 24 * time.Hour: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := request(t, secret)
			<-time.After(wait)
			_, err := webhook.Verify(r, secret, time.Minute)
			if ok {
				require.NoError(t, err, wait)
				return
			}
			require.ErrorIs(t, err, webhook.ErrSignature, wait)
		})
	}
	r := request(t, secret)
	r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	_, err := webhook.Verify(r, secret, time.Minute)
	require.ErrorContains(t, err, "has not come")
}

func TestEntriesOfAnotherForm(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", `[{"id":"x"}]`} {
		_, err := (&webhook.Delivery{Body: []byte(text)}).Entries()
		require.ErrorContains(t, err, "webhook: decode entr")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("msg_1", "1614265330", "v1,x", []byte("[]"))
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/in", bytes.NewReader(body))
		r.Header = http.Header{webhook.HeaderID: {id}, webhook.HeaderTimestamp: {at}, webhook.HeaderSignature: {signature}}
		if d, err := webhook.Verify(r, secret, 0); err == nil {
			t.Fatalf("%+v was taken for signed", d)
		}
	})
}
