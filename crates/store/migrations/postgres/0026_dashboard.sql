-- The place up to which a person has read a conversation.
CREATE TABLE inbox_reads (
    project_id UUID NOT NULL REFERENCES projects (id),
    user_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id, conversation_id)
);

-- Sums for lists. Null until the next step of an execution of an earlier version.
ALTER TABLE executions ADD COLUMN turns BIGINT;
ALTER TABLE executions ADD COLUMN input_tokens BIGINT;
ALTER TABLE executions ADD COLUMN output_tokens BIGINT;
