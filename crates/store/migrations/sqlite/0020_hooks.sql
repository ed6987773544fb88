-- Receivers of outgoing webhooks: of one number, of a project, or a config's destination URL.
CREATE TABLE hook_endpoints (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    -- The config, or the project itself: events are looked up by it.
    scope_id BLOB NOT NULL,
    whatsapp_config_id BLOB,
    origin TEXT NOT NULL,
    url TEXT NOT NULL,
    -- JSON lists of event names.
    events TEXT NOT NULL,
    buffer_events TEXT NOT NULL,
    active INTEGER NOT NULL,
    payload_version TEXT NOT NULL,
    buffer_enabled INTEGER NOT NULL,
    buffer_window_seconds INTEGER NOT NULL,
    max_buffer_size INTEGER NOT NULL,
    inactivity_minutes INTEGER NOT NULL,
    -- Keeps the order of each conversation.
    ordered INTEGER NOT NULL,
    -- Keys and custom headers; none of a destination URL, whose key is the config's verify token.
    secret_id BLOB,
    secret_hint TEXT NOT NULL,
    header_names TEXT NOT NULL,
    -- Time of the first failure since the last success.
    failing_since INTEGER,
    paused_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_endpoints_of_project ON hook_endpoints (project_id, created_at, id);
CREATE INDEX hook_endpoints_of_scope ON hook_endpoints (project_id, scope_id, created_at, id);

-- The payload of an event in each version that an endpoint asked for.
CREATE TABLE hook_events (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    v1 TEXT,
    v2 TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE hook_deliveries (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    endpoint_id BLOB NOT NULL,
    -- The event, or the first one of a batch.
    event_id BLOB NOT NULL,
    name TEXT NOT NULL,
    conversation_id BLOB,
    -- Events of a batch; 0 for a delivery without a batch.
    batch INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    -- Attempts since the event or the latest replay: the place in the retry schedule.
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    -- Place in the order of the conversation; 0 if the endpoint does not keep it.
    place INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_deliveries_due ON hook_deliveries (project_id, endpoint_id, next_at) WHERE state IN ('open', 'pending');
CREATE INDEX hook_deliveries_of_endpoint ON hook_deliveries (project_id, endpoint_id, id);
CREATE INDEX hook_deliveries_failed ON hook_deliveries (project_id, id) WHERE state = 'failed';
CREATE UNIQUE INDEX hook_deliveries_open ON hook_deliveries (project_id, endpoint_id, conversation_id) WHERE state = 'open';
CREATE INDEX hook_deliveries_order ON hook_deliveries (project_id, endpoint_id, conversation_id, place) WHERE place > 0;

CREATE TABLE hook_batches (
    project_id BLOB NOT NULL,
    delivery_id BLOB NOT NULL,
    place INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    PRIMARY KEY (project_id, delivery_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE hook_attempts (
    project_id BLOB NOT NULL,
    delivery_id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    answer TEXT,
    PRIMARY KEY (project_id, delivery_id, attempt)
) STRICT, WITHOUT ROWID;

-- Silent conversations, of which an endpoint gets an event when they are due.
CREATE TABLE hook_silences (
    project_id BLOB NOT NULL,
    endpoint_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, endpoint_id, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_silences_due ON hook_silences (due_at);
CREATE INDEX hook_silences_of_conversation ON hook_silences (project_id, conversation_id);

INSERT INTO hook_endpoints (project_id, id, scope_id, whatsapp_config_id, origin, url, events, buffer_events, active,
    payload_version, buffer_enabled, buffer_window_seconds, max_buffer_size, inactivity_minutes, ordered, secret_hint,
    header_names, created_at, updated_at)
SELECT project_id, id, id, id, 'destination', webhook_destination_url,
    '["whatsapp.message.received","whatsapp.message.sent","whatsapp.message.delivered","whatsapp.message.read","whatsapp.message.failed","whatsapp.conversation.created","whatsapp.conversation.ended","whatsapp.conversation.inactive"]',
    '[]', 1, 'v1', 0, 5, 50, 60, 0, '', '[]', updated_at, updated_at
FROM whatsapp_configs WHERE webhook_destination_url IS NOT NULL;
