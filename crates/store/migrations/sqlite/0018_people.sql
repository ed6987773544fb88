-- People: passwords, sessions, invitations and roles.
ALTER TABLE users ADD COLUMN name TEXT NOT NULL DEFAULT '';
-- PHC string of argon2id; null until the person has chosen a password.
ALTER TABLE users ADD COLUMN password TEXT;
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'system';
ALTER TABLE users ADD COLUMN shortcuts INTEGER NOT NULL DEFAULT 1;
CREATE INDEX users_with_password ON users (id) WHERE password IS NOT NULL;

-- Members of earlier versions could create keys with all rights of the project.
UPDATE memberships SET role = 'owner';
CREATE INDEX memberships_by_age ON memberships (project_id, created_at, user_id);

-- The cookie holds what is hashed here. The id is for lists and revocation.
CREATE TABLE sessions (
    hash BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_of_id ON sessions (id);
CREATE INDEX sessions_of_user ON sessions (user_id, id);
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE invitations (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    -- 1 if an operator made it: it may set the password of an existing account.
    by_operator INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE UNIQUE INDEX invitations_of_token ON invitations (token_hash);

-- One-time links of `chasqui users reset`.
CREATE TABLE password_resets (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX password_resets_of_user ON password_resets (user_id);

-- Null: all rights of the project.
ALTER TABLE api_keys ADD COLUMN role TEXT;
ALTER TABLE api_keys ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
CREATE INDEX api_keys_of_user ON api_keys (project_id, user_id);

ALTER TABLE projects ADD COLUMN archived_at INTEGER;
-- Set while a job deletes the project's rows.
ALTER TABLE projects ADD COLUMN deleted_at INTEGER;

CREATE INDEX audit_by_time ON audit (project_id, at, id);
CREATE INDEX audit_of_actor ON audit (project_id, actor, at, id);
CREATE INDEX audit_of_action ON audit (project_id, action, at, id);
