-- Tenant tables lead every key with project_id; times are microseconds, UTC; JSON is text (docs/decisions/0002).

CREATE TABLE projects (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- People who sign in. An operator sees every project, others those that they are members of.
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    is_operator BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE memberships (
    project_id UUID NOT NULL REFERENCES projects (id),
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX memberships_of_user ON memberships (user_id, project_id);

-- Sign-ins under way: the code waits for an operator, then for the client that asked.
CREATE TABLE cli_logins (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID,
    expires_at BIGINT NOT NULL
);
CREATE INDEX cli_logins_expired ON cli_logins (expires_at);

CREATE TABLE cli_tokens (
    lookup TEXT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What all nodes share, such as the key of tracking tokens.
CREATE TABLE platform_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

-- Which project is this? Asked before a project is known: api_key, number, sandbox_code, sandbox_phone.
CREATE TABLE directory (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    project_id UUID NOT NULL,
    object_id UUID NOT NULL,
    PRIMARY KEY (kind, value)
);

-- Signed webhooks of unknown shape or for unknown numbers, kept as evidence.
CREATE TABLE webhook_events (
    day BIGINT NOT NULL,
    body_sha256 BYTEA NOT NULL,
    body BYTEA NOT NULL,
    reason TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (day, body_sha256)
);

CREATE TABLE api_keys (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    lookup TEXT NOT NULL,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE secrets (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    ciphertext BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    wrapped_key BYTEA NOT NULL,
    wrap_nonce BYTEA NOT NULL,
    kek_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- Whom the project works for. `name_search` is the name in lower case.
CREATE TABLE customers (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    external_customer_id TEXT,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX customers_newest ON customers (project_id, created_at, id);
CREATE UNIQUE INDEX customers_external ON customers (project_id, external_customer_id) WHERE external_customer_id IS NOT NULL;

CREATE TABLE whatsapp_configs (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    customer_id UUID,
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    waba_id TEXT NOT NULL,
    display_phone_number TEXT,
    access_token_id UUID,
    webhook_verify_token TEXT NOT NULL,
    webhook_destination_url TEXT,
    webhook_verified_at BIGINT,
    kind TEXT NOT NULL,
    inbound_processing_enabled BIGINT NOT NULL,
    calls_enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id),
    FOREIGN KEY (project_id, access_token_id) REFERENCES secrets (project_id, id)
);
CREATE INDEX whatsapp_configs_newest ON whatsapp_configs (project_id, created_at, id);
CREATE INDEX whatsapp_configs_of_customer ON whatsapp_configs (project_id, customer_id, created_at, id);
CREATE INDEX whatsapp_configs_verify_token ON whatsapp_configs (webhook_verify_token);

CREATE TABLE agents (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    system_prompt TEXT,
    message_debounce_seconds BIGINT NOT NULL,
    agent_version BIGINT NOT NULL,
    graph TEXT NOT NULL,
    snapshot_id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX agents_newest ON agents (project_id, created_at, id);

-- Which agents answer on a number: the primary one, else the one linked first.
CREATE TABLE agent_whatsapp_configs (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    agent_id UUID NOT NULL,
    whatsapp_config_id UUID NOT NULL,
    is_primary BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id),
    FOREIGN KEY (project_id, whatsapp_config_id) REFERENCES whatsapp_configs (project_id, id)
);
CREATE UNIQUE INDEX agent_whatsapp_configs_once ON agent_whatsapp_configs (project_id, agent_id, whatsapp_config_id);
CREATE UNIQUE INDEX agent_whatsapp_configs_primary ON agent_whatsapp_configs (project_id, whatsapp_config_id) WHERE is_primary = 1;
CREATE INDEX agent_whatsapp_configs_of_config ON agent_whatsapp_configs (project_id, whatsapp_config_id, created_at, id);

-- What an execution pins: immutable, one row for each state that an agent was saved in.
CREATE TABLE agent_snapshots (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    agent_id UUID NOT NULL,
    content_hash BYTEA NOT NULL,
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX agent_snapshots_content ON agent_snapshots (project_id, agent_id, content_hash);

CREATE TABLE contacts (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    customer_id UUID,
    profile_name TEXT,
    name_search TEXT,
    wa_id TEXT,
    user_id TEXT,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id)
);
CREATE INDEX contacts_newest ON contacts (project_id, created_at, id);
CREATE INDEX contacts_of_customer ON contacts (project_id, customer_id, created_at, id);

CREATE TABLE contact_notes (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    contact_id UUID NOT NULL,
    name TEXT,
    content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
);
CREATE INDEX contact_notes_newest ON contact_notes (project_id, contact_id, created_at, id);

-- One person, several identifiers: kind is wa_id (canonical digits, empty scope) or bsuid (scope: the WABA).
CREATE TABLE contact_identities (
    project_id UUID NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (project_id, kind, scope, value),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
);

-- The single actor: sequence, due time, lease and fencing epoch of everything that happens in it.
CREATE TABLE conversations (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    phone_number_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    whatsapp_config_id UUID,
    phone_number TEXT,
    contact_name TEXT,
    agent_id UUID,
    execution_id UUID,
    status TEXT NOT NULL,
    next_seq BIGINT NOT NULL,
    next_out_seq BIGINT NOT NULL,
    due_at BIGINT,
    burst_started_at BIGINT,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    last_inbound_at BIGINT,
    last_active_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, contact_id) REFERENCES contacts (project_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX conversations_open ON conversations (project_id, phone_number_id, contact_id) WHERE status = 'active';
CREATE INDEX conversations_due ON conversations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX conversations_inbox ON conversations (project_id, last_active_at, id);

CREATE TABLE wamid_seen (
    project_id UUID NOT NULL,
    phone_number_id TEXT NOT NULL,
    wamid TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, phone_number_id, wamid)
);

CREATE TABLE messages (
    project_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    id UUID NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    raw TEXT,
    wamid TEXT,
    wa_timestamp BIGINT,
    status TEXT NOT NULL,
    status_rank BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_at BIGINT,
    read_at BIGINT,
    failed_at BIGINT,
    error TEXT,
    execution_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, conversation_id, seq)
);
CREATE UNIQUE INDEX messages_id ON messages (project_id, id);

-- Inputs not yet consumed; a row goes in the commit that consumes it.
CREATE TABLE mailbox (
    project_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    input_key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, conversation_id, seq)
);
CREATE UNIQUE INDEX mailbox_input ON mailbox (project_id, conversation_id, input_key);

CREATE TABLE executions (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    agent_id UUID NOT NULL,
    snapshot_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    phone_number TEXT,
    status TEXT NOT NULL,
    node TEXT NOT NULL,
    handoff_reason TEXT,
    end_reason TEXT,
    error TEXT,
    state TEXT NOT NULL,
    state_format BIGINT NOT NULL,
    step_no BIGINT NOT NULL,
    began_with TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, snapshot_id) REFERENCES agent_snapshots (project_id, id)
);
CREATE UNIQUE INDEX executions_live ON executions (project_id, conversation_id) WHERE status IN ('started', 'running', 'paused', 'handoff');
CREATE INDEX executions_of_agent ON executions (project_id, agent_id, created_at, id);

-- What the model has seen, append-only.
CREATE TABLE history (
    project_id UUID NOT NULL,
    execution_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    node TEXT NOT NULL,
    origin TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (project_id, execution_id, seq)
);

-- One row for each step: the inputs that were fed and the effects that came out.
CREATE TABLE journal (
    project_id UUID NOT NULL,
    execution_id UUID NOT NULL,
    step_no BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    format BIGINT NOT NULL,
    inputs TEXT NOT NULL,
    effects TEXT NOT NULL,
    events TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project_id, execution_id, step_no)
);

CREATE TABLE outbox (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    out_seq BIGINT NOT NULL,
    source_key TEXT NOT NULL,
    message_id UUID NOT NULL,
    execution_id UUID,
    effect_id TEXT,
    phone_number_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    give_up_at BIGINT NOT NULL,
    policy TEXT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    wamid TEXT,
    error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX outbox_order ON outbox (project_id, conversation_id, out_seq);
CREATE UNIQUE INDEX outbox_source ON outbox (project_id, source_key);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state IN ('queued', 'sending', 'unknown');
CREATE INDEX outbox_unsettled ON outbox (project_id, conversation_id, out_seq) WHERE state IN ('queued', 'sending', 'unknown');

-- Written before the request is opened: after a crash it says that something may have been sent.
CREATE TABLE outbox_attempts (
    project_id UUID NOT NULL,
    outbox_id UUID NOT NULL,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    token TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (project_id, outbox_id, attempt)
);

CREATE TABLE timers (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    execution_id UUID NOT NULL,
    generation BIGINT NOT NULL,
    fire_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX timers_of_execution ON timers (project_id, execution_id);
CREATE INDEX timers_due ON timers (fire_at);

CREATE TABLE jobs (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX jobs_once ON jobs (project_id, kind, dedupe_key);
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE events (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    object_id UUID NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX events_tail ON events (at, id);

CREATE TABLE sandbox_sessions (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    phone TEXT NOT NULL,
    phone_canonical TEXT NOT NULL,
    agent_id UUID NOT NULL,
    code TEXT NOT NULL,
    status TEXT NOT NULL,
    activated_at BIGINT,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
);
CREATE UNIQUE INDEX sandbox_sessions_phone ON sandbox_sessions (project_id, phone_canonical) WHERE status IN ('pending_activation', 'active');
CREATE INDEX sandbox_sessions_newest ON sandbox_sessions (project_id, created_at, id);

CREATE TABLE test_suites (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    agent_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
);
CREATE INDEX test_suites_of_agent ON test_suites (project_id, agent_id, created_at, id);

CREATE TABLE test_cases (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    suite_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    script TEXT NOT NULL,
    rubric TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, suite_id) REFERENCES test_suites (project_id, id)
);
CREATE INDEX test_cases_of_suite ON test_cases (project_id, suite_id, created_at, id);

-- One judged run of a case. Its execution's id is known before it begins: the job that carries it on is named by it.
CREATE TABLE test_runs (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    suite_id UUID NOT NULL,
    case_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    snapshot_id UUID NOT NULL,
    execution_id UUID NOT NULL,
    conversation_id UUID,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    step_no BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, case_id) REFERENCES test_cases (project_id, id)
);
CREATE UNIQUE INDEX test_runs_execution ON test_runs (project_id, execution_id);
CREATE INDEX test_runs_of_case ON test_runs (project_id, case_id, created_at, id);
CREATE INDEX test_runs_of_suite ON test_runs (project_id, suite_id, status, created_at, id);

-- What a run was fed and what it asked for, as the journal of an execution.
CREATE TABLE test_run_steps (
    project_id UUID NOT NULL,
    run_id UUID NOT NULL,
    step_no BIGINT NOT NULL,
    input TEXT NOT NULL,
    effects TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project_id, run_id, step_no)
);

-- Somebody tries an agent out; each branch talks in a conversation of its own, without a number.
CREATE TABLE test_chats (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    agent_id UUID NOT NULL,
    snapshot_id UUID,
    conversation_id UUID NOT NULL,
    checkpoint_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agents (project_id, id)
);
CREATE UNIQUE INDEX test_chats_conversation ON test_chats (project_id, conversation_id);

-- Where a chat came to rest: it can be taken up again from there.
CREATE TABLE test_checkpoints (
    project_id UUID NOT NULL,
    id UUID NOT NULL,
    chat_id UUID NOT NULL,
    parent_id UUID,
    execution_id UUID NOT NULL,
    step_no BIGINT NOT NULL,
    message_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, chat_id) REFERENCES test_chats (project_id, id)
);
