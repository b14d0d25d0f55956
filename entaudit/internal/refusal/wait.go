package refusal

import (
	"math/rand/v2"
	"time"
)

// maxRetryAfter bounds how long a writer's word is taken for how long to wait.
const maxRetryAfter = time.Hour

// Wait returns how long to wait after so many failures before the last one: twice as long
// with each, up to most, shortened at random by up to a half; and as long as the writer said
// at least.
func Wait(first, most time.Duration, failures int, least time.Duration) time.Duration {
	d := first
	for range max(failures, 0) {
		if d = min(2*d, most); d == most {
			break
		}
	}
	d = d/2 + rand.N(d/2+1) //nolint:gosec // chance, not secrecy
	return max(d, min(least, maxRetryAfter))
}
