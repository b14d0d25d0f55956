package chiaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxClaimDepth = 16
	maxTime       = 7258118400 // 2200-01-01, in seconds; later dates overflow somewhere
)

// claims are the claims of one token, decoded strictly: names are compared with
// their case, none may occur twice, and what has a type must be of it.
type claims struct{ values map[string]any }

// UnmarshalJSON is called by the parser.
func (c *claims) UnmarshalJSON(data []byte) (err error) {
	c.values, err = decodeObject(data)
	return err
}

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.date("exp") }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.date("iat") }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.date("nbf") }
func (c *claims) GetIssuer() (string, error)                   { return c.text("iss") }
func (c *claims) GetSubject() (string, error)                  { return c.text("sub") }

// date returns a time claim, nil where it is missing.
func (c *claims) date(name string) (*jwt.NumericDate, error) {
	v, ok := c.values[name]
	if !ok {
		return nil, nil
	}
	n, ok := v.(json.Number)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not a number", jwt.ErrInvalidType, name)
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds > maxTime {
		return nil, fmt.Errorf("%w: %s is out of range", jwt.ErrInvalidType, name)
	}
	whole := int64(seconds)
	return &jwt.NumericDate{Time: time.Unix(whole, int64((seconds-float64(whole))*1e9))}, nil
}

func (c *claims) text(name string) (string, error) {
	v, ok := c.values[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%w: %s is not a string", jwt.ErrInvalidType, name)
	}
	return s, nil
}

// GetAudience returns the audience, which may be one string or several.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) {
	switch v := c.values["aud"].(type) {
	case string:
		return jwt.ClaimStrings{v}, nil
	case []any:
		aud := make(jwt.ClaimStrings, 0, len(v))
		for _, a := range v {
			s, ok := a.(string)
			if !ok {
				return nil, fmt.Errorf("%w: aud holds something else than strings", jwt.ErrInvalidType)
			}
			aud = append(aud, s)
		}
		return aud, nil
	case nil:
		return nil, nil
	}
	return nil, fmt.Errorf("%w: aud is neither a string nor an array", jwt.ErrInvalidType)
}

// decodeObject decodes data, which must be exactly one JSON object. Names that
// occur twice are refused, as are invalid UTF-8 and deep nesting. Numbers stay
// as they are written.
func decodeObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("JSON is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("JSON has something behind its value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("JSON is not an object")
	}
	return object, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxClaimDepth {
		return nil, errors.New("JSON is nested too deep")
	}
	t, err := dec.Token()
	if err != nil {
		return nil, errors.New("JSON is malformed")
	}
	var v any
	switch t {
	case json.Delim('{'):
		v, err = decodeMembers(dec, depth)
	case json.Delim('['):
		list := []any{}
		for err == nil && dec.More() {
			var e any
			e, err = decodeValue(dec, depth+1)
			list = append(list, e)
		}
		v = list
	default:
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != nil { // the closing bracket
		return nil, errors.New("JSON is malformed")
	}
	return v, nil
}

func decodeMembers(dec *json.Decoder, depth int) (map[string]any, error) {
	object := map[string]any{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errors.New("JSON is malformed")
		}
		name, ok := t.(string)
		if !ok {
			return nil, errors.New("JSON is malformed")
		}
		if _, ok := object[name]; ok {
			return nil, errors.New("JSON has a name twice")
		}
		if object[name], err = decodeValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}
