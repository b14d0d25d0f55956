package auditenv

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/jsonl"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/webhook"
)

// fillOutbox has entries of mutations wait in the outbox where there is one.
func (s *Settings) fillOutbox(v variables) error {
	if v.OutboxTable == "" {
		return nil
	}
	switch table := cmp.Or(v.Table, entaudit.DefaultTable); {
	case v.OutboxTable == table:
		return errors.New("auditenv: AUDIT_OUTBOX_TABLE: is the table that entries are moved to")
	case !entaudit.ValidTable(table): // which the Recorder says of its own only
		return fmt.Errorf("auditenv: AUDIT_TABLE: %q is not a table name", table)
	}
	s.Recorder.Table = v.OutboxTable
	s.Outbox = outbox.Config{
		Table: v.OutboxTable, Batch: v.OutboxBatch, Poll: v.OutboxPoll, Timeout: v.OutboxTimeout, Lease: v.OutboxLease,
		Backoff: v.OutboxBackoff, MaxBackoff: v.OutboxMaxBackoff, Attempts: v.OutboxAttempts, Late: v.OutboxLate,
	}
	return nil
}

func (s *Settings) fillJSONL(v variables) error {
	s.JSONLPath = v.JSONLPath
	s.JSONL = jsonl.Config{Interval: v.JSONLInterval, MaxSize: int64(v.JSONLMaxSize), MaxAge: v.JSONLMaxAge, Keep: v.JSONLKeep}
	switch v.JSONLSync {
	case "", "each":
	case "interval":
		s.JSONL.Sync = jsonl.SyncInterval
	case "never":
		s.JSONL.Sync = jsonl.SyncNever
	default:
		return errors.New("auditenv: AUDIT_JSONL_SYNC: is none of each, interval and never")
	}
	if v.JSONLInterval != 0 && s.JSONL.Sync != jsonl.SyncInterval {
		return errors.New("auditenv: AUDIT_JSONL_SYNC_INTERVAL: means nothing where AUDIT_JSONL_SYNC is not interval")
	}
	return nil
}

func (s *Settings) fillWebhook(v variables) error {
	s.Webhook = webhook.Config{
		URL: string(v.WebhookURL), Format: webhook.Format(v.WebhookFormat), Timeout: v.WebhookTimeout,
		MaxBytes: v.WebhookMaxBytes, MaxEntries: v.WebhookMaxEntries,
	}
	var secrets list
	if err := secrets.UnmarshalText([]byte(v.WebhookSecrets)); err != nil {
		return fmt.Errorf("auditenv: AUDIT_WEBHOOK_SECRETS: %w", err)
	}
	for n, text := range secrets {
		key, err := webhook.ParseSecret(text)
		if err != nil {
			return fmt.Errorf("auditenv: AUDIT_WEBHOOK_SECRETS: [%d]: %w", n, err)
		}
		s.Webhook.Secrets = append(s.Webhook.Secrets, key)
	}
	return s.fillHeaders(v)
}

// headerName is what RFC 9110 allows in the name of a header.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func (s *Settings) fillHeaders(v variables) error {
	const prefix = "auditenv: AUDIT_WEBHOOK_HEADERS: "
	var headers dict
	if err := headers.UnmarshalText([]byte(v.WebhookHeaders)); err != nil {
		return fmt.Errorf(prefix+"%w", err)
	}
	for name, value := range headers {
		if !headerName.MatchString(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return errors.New(prefix + "has what no header may have")
		}
		if s.Webhook.Header == nil {
			s.Webhook.Header = make(http.Header)
		}
		s.Webhook.Header.Set(name, value)
	}
	return nil
}

// checkDelivery checks where entries go. No file is opened, and nobody is called.
func (s *Settings) checkDelivery() error {
	if err := s.JSONL.Validate(); err != nil {
		return named(err)
	}
	if s.Webhook.URL != "" {
		if err := s.Webhook.Validate(); err != nil {
			return named(err)
		}
	}
	if err := s.Outbox.Validate(); err != nil {
		return named(err)
	}
	return nil
}
