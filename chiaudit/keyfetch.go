package chiaudit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	maxKeySet    = 1 << 20
	keySetWithin = 5 * time.Second
)

// newKeyFetcher returns a function that fetches the key set of k. It takes nothing
// for granted about who answers: redirects could lead into the network that the
// service is in, compression and endless answers could fill its memory.
func newKeyFetcher(k JWKS) func(context.Context) ([]byte, error) {
	client := &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: k.RootCAs, MinVersion: tls.VersionTLS12},
			DisableCompression:     true,
			DisableKeepAlives:      true, // it is minutes until the next time
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, keySetWithin)
		defer cancel()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, k.URL, nil)
		if err != nil {
			return nil, fmt.Errorf("request key set: %w", err)
		}
		q.Header.Set("Accept", "application/jwk-set+json, application/json")
		q.Header.Set("Accept-Encoding", "identity")
		r, err := client.Do(q)
		if err != nil {
			var u *url.Error
			if errors.As(err, &u) {
				err = u.Err // the address may hold a secret in its query
			}
			return nil, fmt.Errorf("fetch key set: %w", err)
		}
		data, err := readKeySet(r)
		return data, errors.Join(err, r.Body.Close())
	}
}

func readKeySet(r *http.Response) ([]byte, error) {
	switch {
	case r.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("fetch key set: status %d", r.StatusCode)
	case r.Header.Get("Content-Encoding") != "":
		return nil, errors.New("fetch key set: it is compressed")
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read key set: %w", err)
	case len(data) > maxKeySet:
		return nil, fmt.Errorf("read key set: more than %d bytes", maxKeySet)
	}
	return data, nil
}
