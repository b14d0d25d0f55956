package auditenv

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// alone returns an error for each variable that is set although none of those is that
// it means something with.
func alone(vars variables) error {
	set := make(map[string]bool)
	for f := range fields() {
		v := reflect.ValueOf(vars).FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.Bool:
			set[f.Tag.Get("env")] = v.Bool() != (f.Tag.Get("envDefault") == "true")
		case reflect.String:
			set[f.Tag.Get("env")] = strings.Trim(v.String(), "[] \t\r\n") != "" // nor does an empty list say anything
		default:
			set[f.Tag.Get("env")] = !v.IsZero()
		}
	}
	var errs []error
	for f := range fields() {
		needs := strings.Fields(f.Tag.Get("needs"))
		met := len(needs) == 0
		for i, name := range needs {
			met = met || set[name]
			needs[i] = prefix + name
		}
		if name := f.Tag.Get("env"); set[name] && !met {
			errs = append(errs, fmt.Errorf("auditenv: %s%s: means nothing without %s", prefix, name, strings.Join(needs, " or ")))
		}
	}
	return errors.Join(errs...)
}
