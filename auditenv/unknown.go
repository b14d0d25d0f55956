package auditenv

import (
	"fmt"
	"strings"
)

// unknown returns a warning for each name that no variable has.
func unknown(names []string) []string {
	var warnings []string
	for _, name := range names {
		best, distance := "", 4 // further away it is another word
		for _, v := range Variables() {
			if d := edits(strings.ToUpper(name), v.Name); d < distance || name == v.Name {
				best, distance = v.Name, d
			}
		}
		switch {
		case name == best, name == alias:
		case best == "":
			warnings = append(warnings, fmt.Sprintf("%.64q is not a variable", name))
		default:
			warnings = append(warnings, fmt.Sprintf("%.64q is not a variable; %s is", name, best))
		}
	}
	return warnings
}

// edits returns how many letters must be put in, left out or replaced to make a into
// b.
func edits(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
