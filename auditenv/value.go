package auditenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/entaudit/audit/entaudit"
)

// secret is a text that does not print.
type secret string

// String hides the value.
func (s secret) String() string { return entaudit.Redacted }

// GoString hides the value.
func (s secret) GoString() string { return entaudit.Redacted }

// address is a URL that prints without its password and parameters.
type address string

// String returns what may be shown of the URL.
func (a address) String() string { return maskedURL(string(a)) }

// GoString is String.
func (a address) GoString() string { return a.String() }

// list is a list written with commas or as JSON.
type list []string

// UnmarshalText reads a list. Its errors do not hold the text.
func (l *list) UnmarshalText(text []byte) error {
	*l = nil
	s := strings.TrimSpace(string(text))
	if strings.HasPrefix(s, "[") {
		if json.Unmarshal([]byte(s), (*[]string)(l)) != nil {
			return errors.New("is not a JSON list of texts")
		}
		return nil
	}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}

// dict is a map written as name=value with commas, or as JSON.
type dict map[string]string

// UnmarshalText reads a map. Its errors do not hold the text.
func (d *dict) UnmarshalText(text []byte) error {
	*d = dict{}
	s := strings.TrimSpace(string(text))
	if strings.HasPrefix(s, "{") {
		if json.Unmarshal([]byte(s), (*map[string]string)(d)) != nil {
			return errors.New("is not a JSON object of texts")
		}
		return nil
	}
	var items list
	if err := items.UnmarshalText(text); err != nil {
		return err
	}
	for i, item := range items {
		name, value, ok := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		if _, twice := (*d)[name]; !ok || name == "" || twice {
			return fmt.Errorf("its item %d is not name=value, or has the name of another", i+1)
		}
		(*d)[name] = strings.TrimSpace(value)
	}
	return nil
}
