-- Origin of a sign-in, shown before its code is approved.
ALTER TABLE cli_logins ADD COLUMN requested_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cli_logins ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- The address, or its /64 network for IPv6: pending codes are limited for each of them.
ALTER TABLE cli_logins ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE cli_logins ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE cli_logins ADD COLUMN client TEXT NOT NULL DEFAULT '';
CREATE INDEX cli_logins_of_network ON cli_logins (network);

-- Rights of a token: every project its user sees, or only the projects in cli_access.
ALTER TABLE cli_logins ADD COLUMN is_operator BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cli_tokens ADD COLUMN is_operator BIGINT NOT NULL DEFAULT 0;

-- The holder is the hash of an approved code, then that of its token.
CREATE TABLE cli_access (
    project_id UUID NOT NULL REFERENCES projects (id),
    holder BYTEA NOT NULL,
    PRIMARY KEY (project_id, holder)
);
CREATE INDEX cli_access_of_holder ON cli_access (holder, project_id);

-- Tokens and approved codes of earlier versions keep the rights that their users have now.
UPDATE cli_logins SET is_operator = 1 WHERE user_id IN (SELECT id FROM users WHERE is_operator = 1);
UPDATE cli_tokens SET is_operator = 1 WHERE user_id IN (SELECT id FROM users WHERE is_operator = 1);
INSERT INTO cli_access (project_id, holder)
    SELECT m.project_id, l.code_hash FROM cli_logins l JOIN memberships m ON m.user_id = l.user_id;
INSERT INTO cli_access (project_id, holder)
    SELECT m.project_id, t.hash FROM cli_tokens t JOIN memberships m ON m.user_id = t.user_id;

-- `chasqui keys revoke` knows only the id.
CREATE INDEX api_keys_of_id ON api_keys (id);
