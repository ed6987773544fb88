-- Events in the order of the database's clock, which all nodes share. Nothing has read the events of
-- earlier versions, so they are not kept.
DROP TABLE events;
CREATE TABLE events (
    project_id UUID NOT NULL,
    -- Time of the insertion, by the database's clock.
    recorded_at BIGINT NOT NULL,
    id UUID NOT NULL,
    -- Time of the change, by the clock of its node.
    at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    object_id UUID NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, recorded_at, id)
);
CREATE INDEX events_tail ON events (recorded_at, id);

-- `execution:<id>`, `user:<id>` or `key:<id>`. Unknown for rows of earlier versions.
ALTER TABLE messages ADD COLUMN author TEXT;
ALTER TABLE contact_notes ADD COLUMN author TEXT;
ALTER TABLE conversation_assignments ADD COLUMN author TEXT;
