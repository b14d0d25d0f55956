package torture_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/internal/torture/ent/kinds"
	"github.com/entaudit/audit/internal/torture/ent/scan"
	"github.com/entaudit/audit/internal/torture/ent/user"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// words are texts with what is special in SQL, in JSON or in text.
var words = []string{
	"a", "b", "it's", `say "hi"`, `back\slash`, `\x41`, "ümläut", "日本語", "line\nbreak\ttab", "🙂", "%_", "null", "[REDACTED]", " lead", "0",
}

// value returns a random value of a Go type for the method that takes it.
func value(rng *rand.Rand, method string, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(rng.IntN(100) - 20))
	case reflect.Int8:
		v.SetInt(int64(rng.IntN(20) - 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rng.Uint64N(50))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(rng.IntN(2000)-1000) / 8)
	case reflect.String:
		v.SetString(text(rng, method, t))
	default:
		v.Set(reflect.ValueOf(composed(rng, t)))
	}
	return v
}

// text returns a random text for a method.
func text(rng *rand.Rand, method string, t reflect.Type) string {
	choose := func(of ...string) string { return of[rng.IntN(len(of))] }
	switch t {
	case reflect.TypeFor[user.Status]():
		return choose("open", "closed")
	case reflect.TypeFor[scan.Verdict]():
		return choose("clean", "infected")
	case reflect.TypeFor[kinds.Enum]():
		return choose("on", "off")
	}
	switch method {
	case "SetID", "SetEmail", "SetName", "SetCode", "SetNumber":
		return fmt.Sprintf("%s%d", strings.ToLower(method[3:]), rng.IntN(60)) // may be taken
	case "SetTenant":
		return choose("acme", "globex")
	case "SetIDPrefix":
		return ""
	}
	if rng.IntN(40) == 0 {
		return strings.Repeat("long ", 20)
	}
	return choose(words...)
}

// composed returns a random value of a type that is no plain one.
func composed(rng *rand.Rand, t reflect.Type) any {
	n := rng.IntN(1000)
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(256))
		}
		return b
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return time.Date(2020, 1, 1, 0, 0, rng.IntN(1e8), rng.IntN(1e6)*1000, time.UTC)
	case reflect.TypeFor[[]byte]():
		return bytes(rng.IntN(6))
	case reflect.TypeFor[uuid.UUID]():
		id := uuid.UUID(bytes(16))
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // MariaDB takes no others
		return id
	case reflect.TypeFor[gotype.Key]():
		return gotype.Key(bytes(16))
	case reflect.TypeFor[gotype.Amount]():
		return gotype.Amount{Text: fmt.Sprintf("%d.%04d", n, rng.IntN(1e4))}
	case reflect.TypeFor[gotype.Addr]():
		return gotype.Addr{Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})}
	case reflect.TypeFor[*url.URL]():
		return &url.URL{Scheme: "https", Host: "example.com", Path: fmt.Sprint("/", n)}
	case reflect.TypeFor[[]string]():
		return []string{words[n%len(words)], fmt.Sprint(n)}[:rng.IntN(3)]
	case reflect.TypeFor[[]int]():
		return []int{n, -n}[:rng.IntN(3)]
	case reflect.TypeFor[map[string]any]():
		return map[string]any{"n": n, "w": words[n%len(words)], "list": []any{1.5, nil, true}}
	}
	panic("no random value for " + t.String())
}
