-- Servers of language models with the project's own key, which is a secret with the same id.
CREATE TABLE model_providers (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    -- The name in lower case: names differ in more than that.
    name_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT,
    model TEXT,
    -- The end of the key, empty for a short one; none without a key.
    key_hint TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX model_providers_newest ON model_providers (project_id, created_at, id);
CREATE UNIQUE INDEX model_providers_name ON model_providers (project_id, name_key);
