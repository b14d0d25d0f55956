package auditenv_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
)

// TestZeroIsNotTheDefault sets every number to 0.
func TestZeroIsNotTheDefault(t *testing.T) {
	t.Parallel()
	none := []string{ // where it is what it says
		"AUDIT_SUMMARY_ABOVE", "AUDIT_QUEUE_BLOCK", "AUDIT_JSONL_MAX_AGE", "AUDIT_JSONL_KEEP", "AUDIT_TRUSTED_PROXY_DEPTH", "AUDIT_JWT_LEEWAY",
	}
	says := map[string]string{
		"AUDIT_QUEUE_RETRIES":        "write -1 for none",
		"AUDIT_JSONL_MAX_SIZE_BYTES": "write -1 for no limit",
		"AUDIT_MAX_BODY_SIZE_BYTES":  "AUDIT_CAPTURE_REQUEST_BODY=false",
		"AUDIT_GRACE":                "write 1ns",
		"AUDIT_QUEUE_DELAY":          "write 1ns",
	}
	for _, v := range auditenv.Variables() {
		if v.Type != "integer" && v.Type != "duration" {
			continue
		}
		for _, zero := range []string{"0", "00", "0s"} {
			if (zero == "0s") != (v.Type == "duration") {
				continue
			}
			_, err := auditenv.Load([]string{v.Name + "=" + zero})
			if slices.Contains(none, v.Name) {
				require.NoError(t, err, v.Name)
				continue
			}
			require.ErrorContains(t, err, "auditenv: "+v.Name+": 0 would mean the default: write ")
			require.ErrorContains(t, err, says[v.Name])
		}
	}
}
