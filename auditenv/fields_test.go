package auditenv_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
)

// leaves adds the fields of v, those of this module's structs field by field.
func leaves(path string, v reflect.Value, out map[string]any) {
	t := v.Type()
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), "github.com/entaudit/audit/") {
		out[path] = v.Interface()
		return
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			leaves(path+"."+f.Name, v.Field(i), out)
		}
	}
}

// fieldsOf returns every field of the settings of each package, by its name in Go.
func fieldsOf(s auditenv.Settings) map[string]any {
	out := make(map[string]any)
	for _, v := range []any{s.Recorder, s.Queue, s.Spool, s.Outbox, s.JSONL, s.Webhook, s.Store, s.Handler, s.JWT, s.APIKeys} {
		leaves(reflect.TypeOf(v).String(), reflect.ValueOf(v), out)
	}
	return out
}

// Every setting has a variable, or docs/configuration.md says why it has none.
func TestEveryFieldHasAVariableOrAReason(t *testing.T) {
	t.Parallel()
	blank := fieldsOf(auditenv.Settings{})
	missing := fieldsOf(auditenv.Settings{})
	sets := append(others(t), most(), map[string]string{"REDACT_VALUES": "false"}, map[string]string{
		"JWT_SECRET": goodKey, "JWT_CLAIM_MAP": "id=a,type=b,email=c,tenant=d,tenant_slug=e,impersonator=f",
	})
	for _, set := range sets {
		var environ []string
		for name, value := range set {
			environ = append(environ, "AUDIT_"+name+"="+value)
		}
		s, err := auditenv.Load(environ)
		require.NoError(t, err, set)
		for name, value := range fieldsOf(s) {
			if !reflect.DeepEqual(blank[name], value) {
				delete(missing, name)
			}
		}
	}
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(text), "<!-- in the program -->\n")
	require.True(t, ok)
	table, _, ok = strings.Cut(table, "<!-- end -->")
	require.True(t, ok)
	var said []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .{10,} \\|$").FindAllStringSubmatch(table, -1) {
		said = append(said, m[1])
	}
	var names []string
	for name := range missing {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(said)
	require.Equal(t, names, said, "give it a variable, or a reason in docs/configuration.md")
}
