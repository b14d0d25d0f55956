package chiaudit

import (
	"errors"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// parseUnverified fills c with the claims of a token of which nobody checks the
// signature, and asks keyOf who the issuer is. It is for
// [JWTConfig].InsecureUnverified alone.
func (j *JWT) parseUnverified(token string, c *claims, keyOf jwt.Keyfunc) error {
	t, _, err := j.parser.ParseUnverified(token, c)
	if err != nil {
		return err
	}
	if !slices.Contains(algorithms(), t.Method.Alg()) {
		return errors.New("token names another algorithm")
	}
	_, err = keyOf(t)
	return err
}

// algorithms returns those that tokens may be signed with.
func algorithms() []string { return append(setAlgorithms(), jwt.SigningMethodHS256.Alg()) }
