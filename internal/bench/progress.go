package main

import (
	"fmt"
	"io"
	"time"
)

// progress keeps one line that says how far the work is. It is used by one
// goroutine.
type progress struct {
	w    io.Writer
	last time.Time
	open bool // the line has not ended
}

// step shows the line, unless it was shown a moment ago.
func (p *progress) step(format string, args ...any) {
	if now := time.Now(); now.Sub(p.last) > 500*time.Millisecond {
		p.last, p.open = now, true
		p.print("\r\x1b[K"+format, args...)
	}
}

// say prints a line that stays.
func (p *progress) say(format string, args ...any) {
	p.clear()
	p.print(format+"\n", args...)
}

// clear makes room for other output.
func (p *progress) clear() {
	if p.open {
		p.print("\r\x1b[K")
		p.open = false
	}
}

func (p *progress) print(format string, args ...any) {
	// Results do not depend on it, and there is nowhere else to say so.
	_, _ = fmt.Fprintf(p.w, format, args...)
}
