-- Message templates. A template belongs to a business account; every production number of the account can use it.

-- `in_doubt` says which call to Meta has not been answered yet: a job looks it up there. `version` goes up with each change.
CREATE TABLE whatsapp_templates (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    waba_id TEXT NOT NULL,
    name TEXT NOT NULL,
    language_code TEXT NOT NULL,
    category TEXT NOT NULL,
    status TEXT NOT NULL,
    parameter_format TEXT NOT NULL,
    components TEXT NOT NULL,
    meta_id TEXT,
    meta_status TEXT,
    rejected_reason TEXT,
    quality TEXT,
    in_doubt TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX whatsapp_templates_newest ON whatsapp_templates (project_id, created_at, id);
CREATE INDEX whatsapp_templates_of_account ON whatsapp_templates (project_id, waba_id, created_at, id);
-- Meta has a name once in each language. A draft beside it is nobody's but ours, and there is one of them too.
CREATE UNIQUE INDEX whatsapp_templates_live ON whatsapp_templates (project_id, waba_id, name, language_code) WHERE status IN ('submitted', 'approved', 'rejected', 'disabled');
CREATE UNIQUE INDEX whatsapp_templates_draft ON whatsapp_templates (project_id, waba_id, name, language_code) WHERE status = 'draft';
CREATE UNIQUE INDEX whatsapp_templates_meta ON whatsapp_templates (project_id, meta_id) WHERE meta_id IS NOT NULL;

-- A pull of an account's templates from Meta. What it was asked with stays readable when the number is gone.
CREATE TABLE whatsapp_template_syncs (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    waba_id TEXT NOT NULL,
    anchor_config_id BLOB NOT NULL,
    anchor TEXT NOT NULL,
    job_id BLOB NOT NULL,
    status TEXT NOT NULL,
    templates_synced INTEGER NOT NULL,
    templates_created INTEGER NOT NULL,
    templates_updated INTEGER NOT NULL,
    templates_removed INTEGER NOT NULL,
    config_ids TEXT NOT NULL,
    error_class TEXT,
    error_message TEXT,
    queued_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE UNIQUE INDEX whatsapp_template_syncs_live ON whatsapp_template_syncs (project_id, waba_id) WHERE status IN ('queued', 'running');
CREATE INDEX whatsapp_template_syncs_of_account ON whatsapp_template_syncs (project_id, waba_id, queued_at, id);

CREATE INDEX whatsapp_configs_of_account ON whatsapp_configs (project_id, waba_id, created_at, id);
-- Webhooks about templates name the account only.
CREATE INDEX whatsapp_configs_account ON whatsapp_configs (waba_id);
