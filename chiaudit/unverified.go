package chiaudit

import "github.com/golang-jwt/jwt/v5"

// parseUnverified fills c with the claims of a token of which nobody checks the
// signature, and asks keyOf who the issuer is. It is for
// [JWTConfig].InsecureUnverified alone.
func (j *JWT) parseUnverified(token string, c *claims, keyOf jwt.Keyfunc) error {
	t, _, err := j.parser.ParseUnverified(token, c)
	if err == nil {
		_, err = keyOf(t)
	}
	return err
}
