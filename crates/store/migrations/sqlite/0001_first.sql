-- Tenant tables lead every key with project_id; times are microseconds, UTC; JSON is text (docs/decisions/0002).
-- WITHOUT ROWID where rows are small and written in every turn: one tree less to keep. Long rows would leave their page.

CREATE TABLE projects (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- People who sign in. An operator sees every project, others those that they are members of.
CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    is_operator INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE memberships (
    project_id BLOB NOT NULL REFERENCES projects (id),
    user_id BLOB NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT;
CREATE INDEX memberships_of_user ON memberships (user_id, project_id);

-- Sign-ins under way: the code waits for an operator, then for the client that asked.
CREATE TABLE cli_logins (
    code_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX cli_logins_expired ON cli_logins (expires_at);

CREATE TABLE cli_tokens (
    lookup TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- What all nodes share, such as the key of tracking tokens.
CREATE TABLE platform_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- Which project is this? Asked before a project is known: api_key, number, sandbox_code, sandbox_phone.
CREATE TABLE directory (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    project_id BLOB NOT NULL,
    object_id BLOB NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- Signed webhooks of unknown shape or for unknown numbers, kept as evidence.
CREATE TABLE webhook_events (
    day INTEGER NOT NULL,
    body_sha256 BLOB NOT NULL,
    body BLOB NOT NULL,
    reason TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (day, body_sha256)
) STRICT;

CREATE TABLE api_keys (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    lookup TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE TABLE secrets (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    nonce BLOB NOT NULL,
    wrapped_key BLOB NOT NULL,
    wrap_nonce BLOB NOT NULL,
    kek_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;

-- Whom the project works for. `name_search` is the name in lower case.
CREATE TABLE customers (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    external_customer_id TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX customers_newest ON customers (project_id, created_at, id);
CREATE UNIQUE INDEX customers_external ON customers (project_id, external_customer_id) WHERE external_customer_id IS NOT NULL;

CREATE TABLE whatsapp_configs (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    customer_id BLOB,
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    waba_id TEXT NOT NULL,
    display_phone_number TEXT,
    access_token_id BLOB,
    webhook_verify_token TEXT NOT NULL,
    webhook_destination_url TEXT,
    webhook_verified_at INTEGER,
    kind TEXT NOT NULL,
    inbound_processing_enabled INTEGER NOT NULL,
    calls_enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id),
    FOREIGN KEY (project_id, access_token_id) REFERENCES secrets (project_id, id)
) STRICT;
CREATE INDEX whatsapp_configs_newest ON whatsapp_configs (project_id, created_at, id);
CREATE INDEX whatsapp_configs_of_customer ON whatsapp_configs (project_id, customer_id, created_at, id);
CREATE INDEX whatsapp_configs_verify_token ON whatsapp_configs (webhook_verify_token);

CREATE TABLE agents (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    system_prompt TEXT,
    message_debounce_seconds INTEGER NOT NULL,
    agent_version INTEGER NOT NULL,
    graph TEXT NOT NULL,
    snapshot_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX agents_newest ON agents (project_id, created_at, id);

-- Which agents answer on a number: the primary one, else the one linked first.
CREATE TABLE agent_whatsapp_configs (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    whatsapp_config_id BLOB NOT NULL,
    is_primary INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id),
    FOREIGN KEY (project_id, whatsapp_config_id) REFERENCES whatsapp_configs (project_id, id)
) STRICT;
CREATE UNIQUE INDEX agent_whatsapp_configs_once ON agent_whatsapp_configs (project_id, agent_id, whatsapp_config_id);
CREATE UNIQUE INDEX agent_whatsapp_configs_primary ON agent_whatsapp_configs (project_id, whatsapp_config_id) WHERE is_primary = 1;
CREATE INDEX agent_whatsapp_configs_of_config ON agent_whatsapp_configs (project_id, whatsapp_config_id, created_at, id);

-- What an execution pins: immutable, one row for each state that an agent was saved in.
CREATE TABLE agent_snapshots (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    content_hash BLOB NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE UNIQUE INDEX agent_snapshots_content ON agent_snapshots (project_id, agent_id, content_hash);

CREATE TABLE contacts (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    customer_id BLOB,
    profile_name TEXT,
    name_search TEXT,
    wa_id TEXT,
    user_id TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id)
) STRICT;
CREATE INDEX contacts_newest ON contacts (project_id, created_at, id);
CREATE INDEX contacts_of_customer ON contacts (project_id, customer_id, created_at, id);

CREATE TABLE contact_notes (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    contact_id BLOB NOT NULL,
    name TEXT,
    content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
) STRICT;
CREATE INDEX contact_notes_newest ON contact_notes (project_id, contact_id, created_at, id);

-- One person, several identifiers: kind is wa_id (canonical digits, empty scope) or bsuid (scope: the WABA).
CREATE TABLE contact_identities (
    project_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    PRIMARY KEY (project_id, kind, scope, value),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
) STRICT, WITHOUT ROWID;

-- The single actor: sequence, due time, lease and fencing epoch of everything that happens in it.
CREATE TABLE conversations (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    phone_number_id TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    whatsapp_config_id BLOB,
    phone_number TEXT,
    contact_name TEXT,
    agent_id BLOB,
    execution_id BLOB,
    status TEXT NOT NULL,
    next_seq INTEGER NOT NULL,
    next_out_seq INTEGER NOT NULL,
    due_at INTEGER,
    burst_started_at INTEGER,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    last_inbound_at INTEGER,
    last_active_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_open ON conversations (project_id, phone_number_id, contact_id) WHERE status = 'active';
CREATE INDEX conversations_due ON conversations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX conversations_inbox ON conversations (project_id, last_active_at, id);

CREATE TABLE wamid_seen (
    project_id BLOB NOT NULL,
    phone_number_id TEXT NOT NULL,
    wamid TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, phone_number_id, wamid)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    project_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    raw TEXT,
    wamid TEXT,
    wa_timestamp INTEGER,
    status TEXT NOT NULL,
    status_rank INTEGER NOT NULL,
    sent_at INTEGER,
    delivered_at INTEGER,
    read_at INTEGER,
    failed_at INTEGER,
    error TEXT,
    execution_id BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, conversation_id, seq)
) STRICT;
CREATE UNIQUE INDEX messages_id ON messages (project_id, id);

-- Inputs not yet consumed; a row goes in the commit that consumes it.
CREATE TABLE mailbox (
    project_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    input_key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, conversation_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_input ON mailbox (project_id, conversation_id, input_key);

CREATE TABLE executions (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    phone_number TEXT,
    status TEXT NOT NULL,
    node TEXT NOT NULL,
    handoff_reason TEXT,
    end_reason TEXT,
    error TEXT,
    state TEXT NOT NULL,
    state_format INTEGER NOT NULL,
    step_no INTEGER NOT NULL,
    began_with TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, snapshot_id) REFERENCES agent_snapshots (project_id, id)
) STRICT;
CREATE UNIQUE INDEX executions_live ON executions (project_id, conversation_id) WHERE status IN ('started', 'running', 'paused', 'handoff');
CREATE INDEX executions_of_agent ON executions (project_id, agent_id, created_at, id);

-- What the model has seen, append-only.
CREATE TABLE history (
    project_id BLOB NOT NULL,
    execution_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    node TEXT NOT NULL,
    origin TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (project_id, execution_id, seq)
) STRICT;

-- One row for each step: the inputs that were fed and the effects that came out.
CREATE TABLE journal (
    project_id BLOB NOT NULL,
    execution_id BLOB NOT NULL,
    step_no INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    format INTEGER NOT NULL,
    inputs TEXT NOT NULL,
    effects TEXT NOT NULL,
    events TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (project_id, execution_id, step_no)
) STRICT;

CREATE TABLE outbox (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    out_seq INTEGER NOT NULL,
    source_key TEXT NOT NULL,
    message_id BLOB NOT NULL,
    execution_id BLOB,
    effect_id TEXT,
    phone_number_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    give_up_at INTEGER NOT NULL,
    policy TEXT NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    wamid TEXT,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE UNIQUE INDEX outbox_order ON outbox (project_id, conversation_id, out_seq);
CREATE UNIQUE INDEX outbox_source ON outbox (project_id, source_key);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state IN ('queued', 'sending', 'unknown');
CREATE INDEX outbox_unsettled ON outbox (project_id, conversation_id, out_seq) WHERE state IN ('queued', 'sending', 'unknown');

-- Written before the request is opened: after a crash it says that something may have been sent.
CREATE TABLE outbox_attempts (
    project_id BLOB NOT NULL,
    outbox_id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    token TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (project_id, outbox_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    execution_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    fire_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX timers_of_execution ON timers (project_id, execution_id);
CREATE INDEX timers_due ON timers (fire_at);

CREATE TABLE jobs (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    run_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX jobs_once ON jobs (project_id, kind, dedupe_key);
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE events (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    object_id BLOB NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_tail ON events (at, id);

CREATE TABLE sandbox_sessions (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    phone TEXT NOT NULL,
    phone_canonical TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    code TEXT NOT NULL,
    status TEXT NOT NULL,
    activated_at INTEGER,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
) STRICT;
CREATE UNIQUE INDEX sandbox_sessions_phone ON sandbox_sessions (project_id, phone_canonical) WHERE status IN ('pending_activation', 'active');
CREATE INDEX sandbox_sessions_newest ON sandbox_sessions (project_id, created_at, id);

CREATE TABLE test_suites (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
) STRICT;
CREATE INDEX test_suites_of_agent ON test_suites (project_id, agent_id, created_at, id);

CREATE TABLE test_cases (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    suite_id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    script TEXT NOT NULL,
    rubric TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, suite_id) REFERENCES test_suites (project_id, id)
) STRICT;
CREATE INDEX test_cases_of_suite ON test_cases (project_id, suite_id, created_at, id);

-- One judged run of a case. Its execution's id is known before it begins: the job that carries it on is named by it.
CREATE TABLE test_runs (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    suite_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    execution_id BLOB NOT NULL,
    conversation_id BLOB,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    step_no INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, case_id) REFERENCES test_cases (project_id, id)
) STRICT;
CREATE UNIQUE INDEX test_runs_execution ON test_runs (project_id, execution_id);
CREATE INDEX test_runs_of_case ON test_runs (project_id, case_id, created_at, id);
CREATE INDEX test_runs_of_suite ON test_runs (project_id, suite_id, status, created_at, id);

-- What a run was fed and what it asked for, as the journal of an execution.
CREATE TABLE test_run_steps (
    project_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    step_no INTEGER NOT NULL,
    input TEXT NOT NULL,
    effects TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (project_id, run_id, step_no)
) STRICT;

-- Somebody tries an agent out; each branch talks in a conversation of its own, without a number.
CREATE TABLE test_chats (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    snapshot_id BLOB,
    conversation_id BLOB NOT NULL,
    checkpoint_id BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
) STRICT;
CREATE UNIQUE INDEX test_chats_conversation ON test_chats (project_id, conversation_id);

-- Where a chat came to rest: it can be taken up again from there.
CREATE TABLE test_checkpoints (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    parent_id BLOB,
    execution_id BLOB NOT NULL,
    step_no INTEGER NOT NULL,
    message_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, chat_id) REFERENCES test_chats (project_id, id)
) STRICT;
