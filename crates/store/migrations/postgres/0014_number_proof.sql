-- A config receives messages only after its token has read its number and its account at Meta.
-- Configs that exist now keep their messages ('assumed') until their check, which the jobs below start.
ALTER TABLE whatsapp_configs ADD COLUMN proof TEXT NOT NULL DEFAULT 'assumed';
-- Time of the latest check that decided.
ALTER TABLE whatsapp_configs ADD COLUMN proof_at BIGINT;
-- Class of the latest failure.
ALTER TABLE whatsapp_configs ADD COLUMN proof_failure TEXT;
CREATE UNIQUE INDEX whatsapp_configs_number ON whatsapp_configs (project_id, phone_number_id);
CREATE INDEX whatsapp_configs_claims ON whatsapp_configs (phone_number_id);

INSERT INTO jobs (project_id, id, kind, dedupe_key, payload, run_at, attempt, lease_until, epoch)
SELECT project_id, id, 'number_proof', replace(id::text, '-', ''), replace(id::text, '-', ''), 0, 0, 0, 0 FROM whatsapp_configs;

-- Webhooks with messages to a number that no config has proved yet. They go with their body.
CREATE TABLE held_webhooks (
    phone_number_id TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    body_sha256 BYTEA NOT NULL,
    PRIMARY KEY (phone_number_id, received_at, day, body_sha256),
    FOREIGN KEY (day, body_sha256) REFERENCES webhook_events (day, body_sha256) ON DELETE CASCADE
);
CREATE UNIQUE INDEX held_webhooks_body ON held_webhooks (day, body_sha256, phone_number_id);
