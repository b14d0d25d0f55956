package auditenv

import (
	"reflect"
	"time"
)

const prefix = "AUDIT_"

// alias is the switch of a package that came before this one.
const alias = "TENANCY_ENABLE_AUDIT_LOGGING"

// variables are all variables. The tag sets names the Go field that a variable
// becomes, as error messages of its package begin; needs names those of which
// one must be set too, or it would mean nothing; zero says what there is instead of
// 0, or none; doc is its line in docs/configuration.md.
type variables struct {
	Enabled bool `env:"ENABLED" envDefault:"true" sets:"entaudit: Config.Off" doc:"false lets everything pass unrecorded; one entry says so. TENANCY_ENABLE_AUDIT_LOGGING is another name for it"`
	Strict  bool `env:"STRICT" envDefault:"false" doc:"makes variables that are not in this table an error, where they are a warning otherwise"`

	Service      string        `env:"SERVICE" sets:"entaudit: Config.Service" doc:"the name of the program in every entry"`
	DatabaseURL  address       `env:"CONTROL_DB_URL" doc:"a database for the entries of requests and of the program itself; without it the application opens what it likes"`
	Table        string        `env:"TABLE" sets:"entaudit: Config.Table" doc:"the audit table, with or without a schema in front"`
	Grace        time.Duration `env:"GRACE" zero:"1ns" sets:"entaudit: Config.Grace" doc:"how long a transaction may go on once its caller is gone"`
	MaxValue     int           `env:"MAX_VALUE_BYTES" sets:"entaudit: Config.MaxValue" doc:"bytes of a recorded value"`
	Failures     bool          `env:"FAILURES" envDefault:"false" sets:"entaudit: Config.Failures" doc:"records mutations too that failed or were denied"`
	SummaryAbove int           `env:"SUMMARY_ABOVE" zero:"none" sets:"entaudit: Config.SummaryAbove" doc:"more rows than this leave one entry together"`
	Changes      bool          `env:"CAPTURE_ORM_DIFFS" envDefault:"true" sets:"entaudit: Config.NoChanges" doc:"false lets mutations pass unrecorded; one entry says so"`

	RedactKeys    list `env:"REDACT_FIELDS" sets:"entaudit: Config.Redact.Keys" doc:"further names whose values are masked, in addition to the defaults"`
	RedactAllow   list `env:"REDACT_ALLOW" sets:"entaudit: Config.Redact.Allow" doc:"names whose values are kept although a key matches"`
	RedactValues  bool `env:"REDACT_VALUES" envDefault:"true" sets:"entaudit: Config.Redact.KeepValues" doc:"masks what is a secret by its form: tokens, keys, card numbers. It is unsafe to switch it off where clients write texts"`
	RedactChanges bool `env:"REDACT_CHANGES" envDefault:"false" sets:"entaudit: Config.Redact.Changes" doc:"does so in the values of changed fields too"`

	QueueCapacity   int           `env:"QUEUE_CAPACITY" sets:"queue: Config.Capacity" doc:"entries that the queue holds in memory at most"`
	QueueMaxBytes   int           `env:"QUEUE_MAX_BYTES" sets:"queue: Config.MaxBytes" doc:"bytes that they take at most, by an estimate"`
	QueueBatchSize  int           `env:"QUEUE_BATCH_SIZE" sets:"queue: Config.BatchSize" doc:"entries that are written at once"`
	QueueBatchBytes int           `env:"QUEUE_BATCH_BYTES" sets:"queue: Config.BatchBytes" doc:"bytes that are written at once"`
	QueueDelay      time.Duration `env:"QUEUE_DELAY" zero:"1ns" sets:"queue: Config.Delay" doc:"how long an entry waits for others to be written with"`
	QueueTimeout    time.Duration `env:"QUEUE_TIMEOUT" sets:"queue: Config.Timeout" doc:"bounds one write"`
	QueueRetries    int           `env:"QUEUE_RETRIES" zero:"-1 for none" sets:"queue: Config.Retries" doc:"how often a write is tried again before it is looked whether single entries are at fault; -1 for never"`
	QueueBackoff    time.Duration `env:"QUEUE_BACKOFF" sets:"queue: Config.Backoff" doc:"the wait before the first retry"`
	QueueMaxBackoff time.Duration `env:"QUEUE_MAX_BACKOFF" sets:"queue: Config.MaxBackoff" doc:"the longest wait"`
	QueueBlock      time.Duration `env:"QUEUE_BLOCK" zero:"none" sets:"queue: Config.Block" doc:"how long a request waits for room in a full queue"`
	QueueOnFull     string        `env:"QUEUE_ON_FULL" sets:"queue: Config.OnFull" doc:"what becomes of entries that there is no room for: refuse, block, spill or drop"`
	QueueDurable    bool          `env:"QUEUE_DURABLE" envDefault:"false" sets:"queue: Config.Durable" needs:"SPOOL_DIR" doc:"has every entry stored in the spool before the request goes on"`

	SpoolDir          string `env:"SPOOL_DIR" sets:"spool: Config.Dir" doc:"the folder of the spool on disk; without it there is none"`
	SpoolMaxBytes     int    `env:"SPOOL_MAX_BYTES" sets:"spool: Config.MaxBytes" needs:"SPOOL_DIR" doc:"bytes that it takes on disk at most"`
	SpoolSegmentBytes int    `env:"SPOOL_SEGMENT_BYTES" sets:"spool: Config.SegmentBytes" needs:"SPOOL_DIR" doc:"bytes of one of its files"`
	DeadLetterDir     string `env:"DEAD_LETTER_DIR" doc:"the folder on disk for entries that the store refuses; without it they are dropped and counted"`

	OutboxTable      string        `env:"OUTBOX_TABLE" sets:"outbox: Config.Table" doc:"the outbox in the application's database, audit_outbox where store.MigrateOutbox made it; AUDIT_TABLE is that of the audit database then. Without it there is none"`
	OutboxBatch      int           `env:"OUTBOX_BATCH" sets:"outbox: Config.Batch" needs:"OUTBOX_TABLE" doc:"entries that a relay moves at once, up to 1000"`
	OutboxPoll       time.Duration `env:"OUTBOX_POLL" sets:"outbox: Config.Poll" needs:"OUTBOX_TABLE" doc:"how often an empty outbox is looked at"`
	OutboxTimeout    time.Duration `env:"OUTBOX_TIMEOUT" sets:"outbox: Config.Timeout" needs:"OUTBOX_TABLE" doc:"bounds one call of either database"`
	OutboxLease      time.Duration `env:"OUTBOX_LEASE" sets:"outbox: Config.Lease" needs:"OUTBOX_TABLE" doc:"how long a batch belongs to the relay that took it"`
	OutboxBackoff    time.Duration `env:"OUTBOX_BACKOFF" sets:"outbox: Config.Backoff" needs:"OUTBOX_TABLE" doc:"the wait after the first failure"`
	OutboxMaxBackoff time.Duration `env:"OUTBOX_MAX_BACKOFF" sets:"outbox: Config.MaxBackoff" needs:"OUTBOX_TABLE" doc:"the longest wait"`
	OutboxAttempts   int           `env:"OUTBOX_ATTEMPTS" sets:"outbox: Config.Attempts" needs:"OUTBOX_TABLE" doc:"how often an entry is refused, while others are taken, before it is a dead letter"`
	OutboxLate       time.Duration `env:"OUTBOX_LATE" sets:"outbox: Config.Late" needs:"OUTBOX_TABLE" doc:"how long an entry may wait before the relay counts as unhealthy"`

	JSONLPath     string        `env:"JSONL_PATH" doc:"the file that entries are appended to, one JSON object a line; without it there is none"`
	JSONLSync     string        `env:"JSONL_SYNC" sets:"jsonl: Config.Sync" needs:"JSONL_PATH" doc:"when it is forced to the disk: each, which is with every write and the default, interval or never"`
	JSONLInterval time.Duration `env:"JSONL_SYNC_INTERVAL" sets:"jsonl: Config.Interval" needs:"JSONL_SYNC" doc:"how long entries wait for that at most, with interval"`
	JSONLMaxSize  int           `env:"JSONL_MAX_SIZE_BYTES" zero:"-1 for no limit" sets:"jsonl: Config.MaxSize" needs:"JSONL_PATH" doc:"the size at which it is rotated; -1 for none"`
	JSONLMaxAge   time.Duration `env:"JSONL_MAX_AGE" zero:"none" sets:"jsonl: Config.MaxAge" needs:"JSONL_PATH" doc:"the age at which it is rotated"`
	JSONLKeep     int           `env:"JSONL_KEEP" zero:"none" sets:"jsonl: Config.Keep" needs:"JSONL_PATH" doc:"how many rotated files are kept; older ones are deleted, entries and all"`

	WebhookURL        secret        `env:"WEBHOOK_URL" sets:"webhook: Config.URL" doc:"where entries are posted to, by https; without it nowhere"`
	WebhookSecrets    secret        `env:"WEBHOOK_SECRETS" sets:"webhook: Config.Secrets" needs:"WEBHOOK_URL" doc:"what signs the requests, as a list of texts that begin with whsec_; more than one while the secret is changed"`
	WebhookFormat     string        `env:"WEBHOOK_FORMAT" sets:"webhook: Config.Format" needs:"WEBHOOK_URL" doc:"ndjson for one JSON object a line, otherwise a JSON array"`
	WebhookHeaders    secret        `env:"WEBHOOK_HEADERS" needs:"WEBHOOK_URL" doc:"headers that are sent along, as a map"`
	WebhookTimeout    time.Duration `env:"WEBHOOK_TIMEOUT" sets:"webhook: Config.Timeout" needs:"WEBHOOK_URL" doc:"bounds a request and its answer"`
	WebhookMaxBytes   int           `env:"WEBHOOK_MAX_BYTES" sets:"webhook: Config.MaxBytes" needs:"WEBHOOK_URL" doc:"bytes of a request's body"`
	WebhookMaxEntries int           `env:"WEBHOOK_MAX_ENTRIES" sets:"webhook: Config.MaxEntries" needs:"WEBHOOK_URL" doc:"entries of a request"`

	RequestBody     bool   `env:"CAPTURE_REQUEST_BODY" envDefault:"true" sets:"chiaudit: Options.NoRequestBody" doc:"records bodies of requests that change something, masked"`
	ResponseBody    bool   `env:"CAPTURE_RESPONSE_BODY" envDefault:"false" sets:"chiaudit: Options.ResponseBody" doc:"records bodies of responses, masked; they hold personal data"`
	MaxBody         int    `env:"MAX_BODY_SIZE_BYTES" zero:"1, or AUDIT_CAPTURE_REQUEST_BODY=false" sets:"chiaudit: Options.MaxBody" doc:"bytes of a body that are kept, in each direction"`
	Headers         list   `env:"HEADERS" sets:"chiaudit: Options.Headers" doc:"headers whose values are recorded"`
	ExcludePaths    list   `env:"EXCLUDE_PATHS" doc:"further paths whose GET and HEAD requests leave no entry: exact, or with * and ** for segments"`
	Exclude         string `env:"EXCLUDE" sets:"chiaudit: Options.Exclude" doc:"further rules, as a JSON list: [{\"prefix\":\"/assets\",\"methods\":[\"GET\"],\"keep\":0.1}], with path, prefix, glob, route, methods, status and keep"`
	ExcludeDefaults bool   `env:"EXCLUDE_DEFAULTS" envDefault:"true" sets:"chiaudit: Options.NoDefaultExclude" doc:"leaves out /health, /metrics, /docs, /openapi.json and /redoc"`
	LogAnonymous    bool   `env:"LOG_ANONYMOUS" envDefault:"true" sets:"chiaudit: Options.SkipAnonymous" doc:"false leaves out requests of nobody in particular that only read and are not denied"`
	StreamOpenings  bool   `env:"STREAM_OPENINGS" envDefault:"false" sets:"chiaudit: Options.StreamOpenings" doc:"records that a stream was opened, when it is"`
	HashKey         secret `env:"HASH_KEY" sets:"chiaudit: Options.Key" doc:"the key of fingerprints that stand for bodies and tokens, at least 32 bytes"`

	TenantHeader    string `env:"TENANT_HEADER" sets:"chiaudit: Options.TenantHeader" doc:"the header that names the tenant; unsafe where clients can choose it freely"`
	TenantSubdomain string `env:"TENANT_SUBDOMAIN" sets:"chiaudit: Options.Tenants" doc:"the domain whose subdomains are tenants"`
	TenantPath      string `env:"TENANT_PATH" doc:"the parameter of chi's routes that names the tenant: tenant for /t/{tenant}/x"`
	TrustedProxies  list   `env:"TRUSTED_PROXIES" sets:"chiaudit: Options.Proxies.Trusted" doc:"addresses of proxies in front, as CIDR or single addresses"`
	ProxyDepth      int    `env:"TRUSTED_PROXY_DEPTH" zero:"none" sets:"chiaudit: Options.Proxies.Count" doc:"how many proxies each request passes, where their addresses are not known"`
	ProxyHeader     string `env:"PROXY_HEADER" sets:"chiaudit: Options.Proxies.Header" needs:"TRUSTED_PROXIES TRUSTED_PROXY_DEPTH" doc:"X-Forwarded-For, which is the default, or Forwarded"`

	JWTSecret      secret        `env:"JWT_SECRET" sets:"chiaudit: JWTConfig.Secret" doc:"the key of HS256, at least 32 bytes of randomness"`
	JWTPublicKey   string        `env:"JWT_PUBLIC_KEY" sets:"chiaudit: JWTConfig.PublicKey" doc:"the key of RS256 or ES256, in PEM"`
	JWKSURL        address       `env:"JWT_JWKS_URL" sets:"chiaudit: JWTConfig.JWKS" doc:"where the issuer publishes its keys, by https"`
	JWKSText       string        `env:"JWT_JWKS" sets:"chiaudit: JWTConfig.JWKS.JSON" doc:"these keys themselves, as a JSON Web Key Set"`
	JWKSRefresh    time.Duration `env:"JWT_JWKS_REFRESH" sets:"chiaudit: JWTConfig.JWKS.Refresh" needs:"JWT_JWKS_URL JWT_ISSUERS" doc:"how often they are fetched, at least every minute"`
	JWKSMaxStale   time.Duration `env:"JWT_JWKS_MAX_STALE" sets:"chiaudit: JWTConfig.JWKS.MaxStale" needs:"JWT_JWKS_URL JWT_ISSUERS" doc:"how long they are used when they cannot be fetched"`
	JWTIssuers     secret        `env:"JWT_ISSUERS" sets:"chiaudit: JWTConfig.Issuers" doc:"several issuers in place of one, as a JSON list: [{\"issuer\":\"https://a\",\"audience\":[\"x\"],\"jwks_url\":\"https://a/keys\"}], with secret or public_key (PEM) in place of jwks_url"`
	JWTIssuer      string        `env:"JWT_ISSUER" sets:"chiaudit: JWTConfig.Issuer" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"the only iss that is accepted"`
	JWTAudience    list          `env:"JWT_AUDIENCE" sets:"chiaudit: JWTConfig.Audience" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"the aud of which a token must have one"`
	JWTLeeway      time.Duration `env:"JWT_LEEWAY" zero:"none" sets:"chiaudit: JWTConfig.Leeway" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"how far the issuer's clock may be off"`
	JWTType        string        `env:"JWT_TYPE" sets:"chiaudit: JWTConfig.Type" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"the typ that tokens must have, such as at+jwt"`
	JWTClaims      dict          `env:"JWT_CLAIM_MAP" sets:"chiaudit: JWTConfig.Claims" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"which claims hold what: id, type, email, tenant, tenant_slug, impersonator; also under the names actor_id, actor_type, actor_email, tenant_id"`
	JWTDefaultType string        `env:"JWT_DEFAULT_TYPE" sets:"chiaudit: JWTConfig.DefaultType" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"the type of actors whose token names none"`
	JWTVerify      bool          `env:"JWT_VERIFY_SIGNATURE" envDefault:"true" sets:"chiaudit: JWTConfig.InsecureUnverified" doc:"false believes tokens whose signature nobody checks, which is unsafe wherever something else than a gateway that has verified them can reach the program; no key may be set"`
	APIKeys        secret        `env:"API_KEYS" sets:"chiaudit: APIKeyConfig.Keys" doc:"hashes of API keys and whose they are, as a JSON list: [{\"sha256\":\"5e88...\",\"id\":\"importer\",\"type\":\"service\"}], with email, tenant_id and tenant_slug"`
	APIKeyHeader   string        `env:"API_KEY_HEADER" sets:"chiaudit: APIKeyConfig.Header" needs:"API_KEYS" doc:"the header that holds the API key, X-Api-Key by default"`
	TypeAliases    dict          `env:"ACTOR_TYPE_ALIASES" sets:"chiaudit: JWTConfig.TypeAliases" needs:"JWT_SECRET JWT_PUBLIC_KEY JWT_JWKS_URL JWT_JWKS JWT_ISSUERS JWT_VERIFY_SIGNATURE" doc:"other names for types of actors"`
}

// Variable is one variable that [Load] reads.
type Variable struct {
	Name    string
	Type    string // bool, integer, duration, text, list or map
	Default string // blank where it is that of the Go field
	Secret  bool   // prints as [REDACTED], or as a URL without its password and parameters
	Doc     string

	url         bool
	field, sets string
}

// Variables returns what [Load] reads, in the order of docs/configuration.md.
func Variables() []Variable {
	var all []Variable
	for f := range fields() {
		v := Variable{
			Name: prefix + f.Tag.Get("env"), Default: f.Tag.Get("envDefault"), Doc: f.Tag.Get("doc"),
			Secret: f.Type == reflect.TypeFor[secret](), url: f.Type == reflect.TypeFor[address](), field: f.Name, sets: f.Tag.Get("sets"),
		}
		v.Secret = v.Secret || v.url
		switch {
		case f.Type == reflect.TypeFor[time.Duration]():
			v.Type = "duration"
		case f.Type == reflect.TypeFor[list]():
			v.Type = "list"
		case f.Type == reflect.TypeFor[dict]():
			v.Type = "map"
		case f.Type.Kind() == reflect.Bool:
			v.Type = "bool"
		case f.Type.Kind() == reflect.Int:
			v.Type = "integer"
		default:
			v.Type = "text"
		}
		all = append(all, v)
	}
	return all
}

func fields() func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		t := reflect.TypeFor[variables]()
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}
