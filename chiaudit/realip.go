package chiaudit

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
)

// refuseRealIP panics where the next handler shows that chi's RealIP is in use: it is a
// router that has it, or what it has made. RealIP overwrites the address of the
// connection with what any client may write into a header (GHSA-3fxj, GHSA-rjr7,
// GHSA-9g5q).
func refuseRealIP(next http.Handler) {
	routes, _ := next.(chi.Routes)
	if isRealIP(next) || routes != nil && slices.ContainsFunc(routes.Middlewares(), func(m func(http.Handler) http.Handler) bool { return isRealIP(m) }) {
		panic("chiaudit: Handler: middleware.RealIP lets clients choose their address; set Options.Proxies, or use chi's ClientIPFrom middlewares")
	}
}

func isRealIP(f any) bool {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func {
		return false
	}
	// Its closure has another name where the compiler has inlined it.
	file, _ := runtime.FuncForPC(v.Pointer()).FileLine(v.Pointer())
	return strings.Contains(file, "go-chi/chi/") && strings.HasSuffix(file, "/middleware/realip.go")
}

// overwritten reports whether an address is not that of the connection any more, which
// always has a port.
func overwritten(remote string) bool {
	_, err := netip.ParseAddr(remote)
	return err == nil
}

// warnOverwritten says once that the address of the connection is lost.
func (h *handler) warnOverwritten(ctx context.Context) {
	h.warned.Do(func() {
		slog.WarnContext(ctx, "chiaudit: something in front has overwritten the address of the connection, as middleware.RealIP does; it is recorded as unknown")
	})
}
