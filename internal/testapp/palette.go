package main

import (
	"io"
	"os"
)

// Colours of a terminal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "36"
	dim    = "2"
	bold   = "1"
)

// palette colours text, or does not.
type palette struct{ on bool }

// newPalette returns a palette for w: with colours on a terminal, unless NO_COLOR
// is set (https://no-color.org) or the terminal has none.
func newPalette(w io.Writer) palette {
	return palette{on: isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p palette) paint(colour, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}
