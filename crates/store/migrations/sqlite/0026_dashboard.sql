-- The place up to which a person has read a conversation.
CREATE TABLE inbox_reads (
    project_id BLOB NOT NULL REFERENCES projects (id),
    user_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id, conversation_id)
) STRICT;

-- Sums for lists. Null until the next step of an execution of an earlier version.
ALTER TABLE executions ADD COLUMN turns INTEGER;
ALTER TABLE executions ADD COLUMN input_tokens INTEGER;
ALTER TABLE executions ADD COLUMN output_tokens INTEGER;
