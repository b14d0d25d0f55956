package auditenv

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
)

// zeros returns an error for each number that is set to 0, where a field of that value
// means its default: whoever writes 0 wants something else. The tag zero of a variable
// says what there is instead, or "none" where 0 is what it says.
func zeros(vars variables, given map[string]string) error {
	var errs []error
	for f := range fields() {
		name := prefix + f.Tag.Get("env")
		v := reflect.ValueOf(vars).FieldByIndex(f.Index)
		if given[name] == "" || !v.CanInt() || v.Int() != 0 || f.Tag.Get("zero") == "none" {
			continue
		}
		errs = append(errs, fmt.Errorf("auditenv: %s: 0 would mean the default: write %s, or leave it out", name, cmp.Or(f.Tag.Get("zero"), "what is above 0")))
	}
	return errors.Join(errs...)
}
