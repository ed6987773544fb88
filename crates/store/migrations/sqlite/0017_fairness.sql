-- Due work is read project by project, and expired rows of all projects together.
DROP INDEX conversations_due;
CREATE INDEX conversations_due ON conversations (project_id, due_at) WHERE due_at IS NOT NULL;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (project_id, next_at) WHERE state IN ('queued', 'sending', 'unknown');
CREATE INDEX jobs_test_runs ON jobs (project_id, run_at) WHERE kind = 'test_run';
DROP INDEX idempotency_expired;
CREATE INDEX idempotency_expired ON idempotency (expires_at);
CREATE INDEX cli_tokens_expired ON cli_tokens (expires_at);

-- Bytes of stored files, for the limit of a project.
INSERT INTO counters (project_id, list, of_id, shard, n)
SELECT project_id, 'stored_bytes', project_id, 0, sum(length(bytes)) FROM upload_pieces GROUP BY project_id;
