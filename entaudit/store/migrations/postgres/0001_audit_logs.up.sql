-- One row per entry. Columns are only ever added, and nullable.
CREATE TABLE IF NOT EXISTS "audit_logs" (
    "id"              uuid NOT NULL,
    "schema_version"  integer NOT NULL,
    "service"         text,
    "kind"            text NOT NULL,
    "action"          text,
    "operation"       text,
    "outcome"         text NOT NULL,
    "reason"          text,
    "occurred_at"     timestamptz NOT NULL,
    "recorded_at"     timestamptz NOT NULL DEFAULT statement_timestamp(),
    "duration_us"     bigint,
    "actor_id"        text,
    "actor_type"      text,
    "actor_email"     text,
    "impersonator_id" text,
    "actor_chain"     text,
    "tenant_id"       text,
    "tenant_slug"     text,
    "actor_tenant_id" text,
    "resource_type"   text,
    "resource_id"     text,
    "resource_label"  text,
    "resource_schema" text,
    "changes"         text,
    "edges"           text,
    "changed_fields"  text,
    "cause_id"        uuid,
    "tx_id"           uuid,
    "tx_seq"          integer,
    "request_id"      text,
    "trace_id"        text,
    "method"          text,
    "path"            text,
    "route"           text,
    "query"           text,
    "status_code"     integer,
    "ip_address"      text,
    "user_agent"      text,
    "metadata"        text,
    "marks"           text,
    PRIMARY KEY ("id"),
    CONSTRAINT "audit_logs_kind" CHECK (kind IN ('mutation', 'request', 'manual', 'job', 'system')),
    CONSTRAINT "audit_logs_operation" CHECK (operation IN ('create', 'update', 'delete', 'soft_delete', 'restore', 'summary', 'skip', 'gap', 'switch', 'raw_sql')),
    CONSTRAINT "audit_logs_outcome" CHECK (outcome IN ('success', 'failure', 'denied', 'aborted', 'unknown'))
);

CREATE INDEX IF NOT EXISTS "auditlog_tenant_id_id" ON "audit_logs" ("tenant_id", "id");
CREATE INDEX IF NOT EXISTS "auditlog_resource_type_resource_id_id" ON "audit_logs" ("resource_type", "resource_id", "id");
CREATE INDEX IF NOT EXISTS "auditlog_actor_id_id" ON "audit_logs" ("actor_id", "id");
CREATE INDEX IF NOT EXISTS "auditlog_outcome_id" ON "audit_logs" ("outcome", "id");
CREATE INDEX IF NOT EXISTS "auditlog_request_id_id" ON "audit_logs" ("request_id", "id") WHERE request_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS "auditlog_impersonator_id_id" ON "audit_logs" ("impersonator_id", "id") WHERE impersonator_id IS NOT NULL;

-- Bodies of requests and responses, which are purged long before the entries.
CREATE TABLE IF NOT EXISTS "audit_bodies" (
    "entry_id" uuid NOT NULL,
    "request"  text,
    "response" text,
    PRIMARY KEY ("entry_id")
);
