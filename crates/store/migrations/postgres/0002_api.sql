-- What makes API writes safe to repeat, and what was written by whom.

-- The answer to a request that named an Idempotency-Key, written with its effect.
CREATE TABLE idempotency (
    project_id UUID NOT NULL REFERENCES projects (id),
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, key)
);
CREATE INDEX idempotency_expired ON idempotency (project_id, expires_at);

-- Append-only.
CREATE TABLE audit (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
);
