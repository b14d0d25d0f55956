package chiaudit

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// hops returns the addresses that the values of a header list, from right to left.
// An address that is not valid stands for an element that is none. Elements are
// cut off at the right end one by one, so that what stands further left has no
// influence on what they say.
func hops(values []string, forwarded bool) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, rest := range slices.Backward(values) {
			for rest != "" {
				var element string
				rest, element = cutLast(rest, forwarded)
				if element = strings.Trim(element, " \t"); element == "" {
					continue
				}
				if forwarded {
					element = forwardedFor(element)
				}
				if !yield(parseHop(element)) {
					return
				}
			}
		}
	}
}

// cutLast cuts the last element off a list. Where commas may be quoted, a quote
// that has no other keeps all that is left of it from being read.
func cutLast(list string, quoted bool) (rest, last string) {
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == ',':
			return list[:i], list[i+1:]
		case list[i] == '"' && quoted:
			if i = openingQuote(list[:i]); i < 0 {
				return "", `"`
			}
		}
	}
	return "", list
}

// openingQuote returns where the quoted string begins that s is the inside of, -1
// if it does not.
func openingQuote(s string) int {
	for i := strings.LastIndexByte(s, '"'); i >= 0; i = strings.LastIndexByte(s[:i], '"') {
		before := s[:i]
		if (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0 {
			return i
		}
	}
	return -1
}

// forwardedFor returns the node that an element of Forwarded names with "for", ""
// where it names none, or several.
func forwardedFor(element string) (node string) {
	for element != "" {
		var pair string
		pair, element = cutPair(element)
		name, value, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "for") {
			continue
		}
		if value = strings.Trim(value, " \t"); node != "" || value == "" {
			return ""
		}
		node = value
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			node = value[1 : len(value)-1]
		}
	}
	return node
}

// cutPair cuts the first pair off an element. Semicolons may be quoted.
func cutPair(element string) (pair, rest string) {
	quoted := false
	for i := 0; i < len(element); i++ {
		switch c := element[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ';' && !quoted:
			return element[:i], element[i+1:]
		}
	}
	return element, ""
}
