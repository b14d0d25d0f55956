package entaudit_test

import (
	"encoding/json"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// canary is a secret that no fuzzer finds by itself.
const canary = "cAnArY-8c1d0b7e"

// requireLinear has f read a long text made of s over and over, now and then. What
// looks at bytes again and again takes minutes for it.
func requireLinear(t *testing.T, s string, f func(string)) {
	t.Helper()
	h := fnv.New32()
	_, _ = h.Write([]byte(s)) // never fails
	if s == "" || h.Sum32()%64 != 0 {
		return
	}
	const long = 1 << 18
	began := time.Now()
	f(strings.Repeat(s, long/len(s)))
	require.Less(t, time.Since(began), 20*time.Second, "%q again and again", s)
}

// FuzzS40PlantedJSON has secrets behind masked names, and anything around them.
func FuzzS40PlantedJSON(f *testing.F) {
	f.Add(`1`, `2`)
	f.Add(`{"a":[`, `]}`)
	f.Add(`"\u0070assword"`, `{"x":"\ud800"}`)
	f.Add(`],"password":"x","b":[`, `{},"c":1e400`)
	f.Add(`"","password:`, `[[[[`)
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, before, after string) {
		whole := `{"a":[` + before + `],"password":"` + canary + `","n":{"Api-Key":{"x":["` + canary + `"]}},"b":` + after + `}`
		marks := 0
		got, err := d.JSON([]byte(whole), func(string, entaudit.Mark) { marks++ })
		requireLinear(t, before, func(s string) { _, _ = d.JSON([]byte(`["`+s+`"]`), nil) }) // only the time counts
		if !json.Valid([]byte(whole)) {
			require.Error(t, err, "%q is no JSON", whole)
		}
		if err != nil {
			require.Nil(t, got)
			return
		}
		require.True(t, json.Valid(got), "%q", got)
		require.LessOrEqual(t, len(got), 8*len(whole))
		if misled(whole) {
			return
		}
		require.NotContains(t, string(got), canary)
		require.GreaterOrEqual(t, marks, 2)
	})
}

// misled reports whether the secrets of a JSON text stand elsewhere than behind the
// names that they seem to follow, because what is around them has quotes.
func misled(whole string) bool {
	dec := json.NewDecoder(strings.NewReader(whole))
	last, found := "", 0
	for {
		token, err := dec.Token()
		if err != nil {
			return found != 2
		}
		switch s, ok := token.(string); {
		case ok && s == canary && (last == "password" || last == "x"):
			found++
		case ok && strings.Contains(s, canary):
			return true
		case ok:
			last = s
		}
	}
}

// FuzzW14Query has secrets behind masked names, and as a name, and anything around.
func FuzzW14Query(f *testing.F) {
	f.Add("", "")
	f.Add("a=1&b=2", "c=3&c=4")
	f.Add("a=%zz&;", "&&=&")
	f.Add("next=%2Fx%3Ftoken%3Dabc", "q=%00%0a")
	f.Add("4111111111111111=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "=")
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	require.NoError(f, err)
	token := planted["JWT"]
	f.Fuzz(func(t *testing.T, before, after string) {
		requireLinear(t, before, func(s string) { d.Query(s) })
		for _, secret := range []string{
			"password=" + canary, "%70assword=" + canary, "user[pwd]=" + canary, "Access-Token=" + canary, "pa%C5%BF%C5%BFword=" + canary,
			token, token + "=1", token + "=" + token, "password" + token + "=x", "x=" + token,
		} {
			raw := before + "&" + secret + "&" + after
			got, mark := d.Query(raw)
			require.Equal(t, entaudit.MarkRedacted, mark)
			require.Equal(t, strings.Count(raw, "&"), strings.Count(got, "&"), "a parameter is lost or made up")
			if !strings.Contains(before+after, canary) && !strings.Contains(before+after, token) {
				require.NotContains(t, got, canary)
				require.NotContains(t, got, token)
			}
			require.LessOrEqual(t, len(got), len(raw)+24*strings.Count(raw, "&")+24)
			again, _ := d.Query(got)
			require.Equal(t, got, again, "masking twice changes it")
		}
	})
}
