package webhook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSignsAsOthersDo has the example that libraries of the scheme are tested with.
func TestSignsAsOthersDo(t *testing.T) {
	t.Parallel()
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	id, at, body := "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	require.Equal(t, want, sign([][]byte{secret}, id, at, body))
	for header, ok := range map[string]bool{
		want: true, "v1,AAAA " + want: true, "v1a,x v2,y " + want: true,
		"": false, "v1,": false, "v2" + want[2:]: false, want[:len(want)-2] + "=": false, want[3:]: false,
	} {
		require.Equal(t, ok, signed(header, secret, id, at, body), header)
	}
	require.False(t, signed(want, secret, id, at.Add(time.Second), body))
	require.False(t, signed(want, secret, id+"x", at, body))
	require.False(t, signed(want, secret, id, at, append(body, ' ')))
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999999999999": 0, "4000000000": maxWait,
		"Tue, 03 Feb 2026 04:06:06 GMT": time.Minute, "Tue, 03 Feb 2026 04:00:06 GMT": 0, "Tue, 03 Feb 2099 04:00:06 GMT": maxWait,
	} {
		require.Equal(t, want, retryAfter(s, now), s)
	}
}
