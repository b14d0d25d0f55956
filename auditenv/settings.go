package auditenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/jsonl"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/entaudit/webhook"
)

// Settings are what the environment says, as the settings of each package. They have
// been checked together; what is changed afterwards is checked where it is used.
// Printed, logged or encoded as JSON they show the variables that were set, with
// secrets masked. Their fields hold secrets in the clear and are better not printed by
// themselves.
type Settings struct {
	Recorder entaudit.Config
	Queue    queue.Config
	// Spool is for [spool.Open], whose result then becomes Queue.Spool, and Dead for
	// [spool.OpenDead], and Queue.DeadLetter or Outbox.DeadLetter. Where no folder is set
	// there is none.
	Spool spool.Config
	Dead  spool.Config
	Store store.Config
	// Outbox is for [outbox.New]. Where it has a table, that of Recorder is the same,
	// and Store is for the audit database; where it has none there is no outbox.
	Outbox outbox.Config
	// JSONLPath and JSONL are for [jsonl.Open]. Without a path there is no file.
	JSONLPath string
	JSONL     jsonl.Config
	// Webhook is for [webhook.New]. Without a URL there is none.
	Webhook webhook.Config
	Handler chiaudit.Options
	// JWT is for [chiaudit.NewJWT], whose method Actor then becomes Handler.Actor.
	JWT chiaudit.JWTConfig
	// APIKeys is for [chiaudit.NewAPIKeys]; [chiaudit.First] joins both.
	APIKeys chiaudit.APIKeyConfig
	// Warnings name variables that begin with AUDIT_ and mean nothing. [Load] logs
	// them through slog as well.
	Warnings []string

	database string
	shown    []string // name=value, masked
}

// DatabaseURL returns what AUDIT_CONTROL_DB_URL says, with its password, "" where
// it is not set.
func (s Settings) DatabaseURL() string { return s.database }

// HasJWT reports whether the environment says how tokens are verified.
func (s Settings) HasJWT() bool {
	return s.JWT.Secret != nil || s.JWT.PublicKey != nil || s.JWT.JWKS.URL != "" || s.JWT.JWKS.JSON != nil || len(s.JWT.Issuers) > 0 || s.JWT.InsecureUnverified
}

// HasAPIKeys reports whether the environment holds API keys.
func (s Settings) HasAPIKeys() bool { return len(s.APIKeys.Keys) > 0 }

// String returns the variables that were set, with secrets masked.
func (s Settings) String() string { return strings.Join(s.shown, " ") }

// GoString is String, so that %#v shows no more.
func (s Settings) GoString() string { return s.String() }

// LogValue is String for slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON encodes what String returns.
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.shown) }

// Load returns the settings in an environment, which is usually os.Environ(). Values
// that are no such thing, weak keys and settings that contradict each other are errors
// that name the variable and hold no secret. Variables that begin with AUDIT_ and
// are not known, which container platforms make for services of that name, leave a
// warning with the nearest name, or are errors with AUDIT_STRICT=true.
func Load(environ []string) (Settings, error) {
	given := make(map[string]string)
	var names []string
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if (strings.HasPrefix(strings.ToUpper(name), prefix) || name == alias) && strings.TrimSpace(value) != "" {
			given[name] = value
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	vars, err := parse(given)
	if err != nil {
		return Settings{}, err
	}
	if err := zeros(vars, given); err != nil {
		return Settings{}, err
	}
	if err := alone(vars); err != nil {
		return Settings{}, err
	}
	s := Settings{shown: show(given, names), Warnings: unknown(names)}
	if len(s.Warnings) > 0 && vars.Strict {
		return Settings{}, errors.New("auditenv: " + strings.Join(s.Warnings, "; "))
	}
	if err := s.fill(vars); err != nil {
		return Settings{}, err
	}
	if err := s.check(); err != nil {
		return Settings{}, err
	}
	for _, w := range s.Warnings {
		slog.Warn("auditenv: " + w)
	}
	return s, nil
}

// parse returns the variables with their types.
func parse(given map[string]string) (variables, error) {
	if err := enabled(given); err != nil {
		return variables{}, err
	}
	var vars variables
	err := env.ParseWithOptions(&vars, env.Options{Environment: given, Prefix: prefix})
	if err == nil {
		return vars, nil
	}
	var errs []error
	all := env.AggregateError{}
	if !errors.As(err, &all) {
		return variables{}, fmt.Errorf("auditenv: %w", err)
	}
	for _, err := range all.Errors {
		var e env.ParseError
		if !errors.As(err, &e) {
			errs = append(errs, fmt.Errorf("auditenv: %w", err))
			continue
		}
		for _, v := range Variables() {
			switch {
			case v.field != e.Name:
			case e.Type.Kind() == reflect.Slice, e.Type.Kind() == reflect.Map:
				errs = append(errs, fmt.Errorf("auditenv: %s: %w", v.Name, e.Err))
			default: // the error of package strconv has the value
				errs = append(errs, fmt.Errorf("auditenv: %s: is not a value of type %s", v.Name, v.Type))
			}
		}
	}
	return variables{}, errors.Join(errs...)
}

// enabled takes the alias over into the variable that it is another name for.
func enabled(given map[string]string) error {
	const own = prefix + "ENABLED"
	value, ok := given[alias]
	if !ok {
		return nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return fmt.Errorf("auditenv: %s: is not a value of type bool", alias)
	}
	if other, err := strconv.ParseBool(given[own]); err == nil && other != on {
		return fmt.Errorf("auditenv: %s: %s is set as well, to something else", own, alias)
	}
	if given[own] == "" {
		given[own] = value
	}
	return nil
}

// show returns the variables as they may be printed.
func show(given map[string]string, names []string) []string {
	redact, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		return nil
	}
	known := make(map[string]Variable)
	for _, v := range Variables() {
		known[v.Name] = v
	}
	var shown []string
	for _, name := range names {
		value, _ := redact.Text(given[name])
		v, ok := known[name]
		switch {
		case v.url:
			value = address(given[name]).String()
		case v.Secret, !ok && name != alias:
			value = entaudit.Redacted // a misspelt secret is one too
		}
		shown = append(shown, name+"="+value)
	}
	return shown
}
