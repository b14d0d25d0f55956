package entaudit

import "fmt"

// UnsupportedError is returned for a mutation that cannot be recorded truthfully on the
// database it runs on. What it would have changed is not changed: it is refused before
// anything is written, or undone.
type UnsupportedError struct {
	Type      string // ent's name of the mutated type
	Operation string // "upsert"
	Problem   string // what cannot be told
	Hint      string // what to do instead
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("entaudit: %s %s: cannot be recorded: %s (%s)", e.Operation, e.Type, e.Problem, e.Hint)
}
