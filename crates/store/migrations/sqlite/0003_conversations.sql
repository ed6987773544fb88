-- People who take conversations over. Whose conversation it is stands in its row, where every step of an agent sees it.

ALTER TABLE conversations ADD COLUMN assignee_id BLOB;

CREATE TABLE conversation_assignments (
    project_id BLOB NOT NULL,
    id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    active INTEGER NOT NULL,
    notes TEXT,
    created_by_user_id BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, conversation_id) REFERENCES conversations (project_id, id)
) STRICT;
CREATE INDEX conversation_assignments_newest ON conversation_assignments (project_id, conversation_id, created_at, id);
CREATE UNIQUE INDEX conversation_assignments_active ON conversation_assignments (project_id, conversation_id) WHERE active = 1;

CREATE INDEX executions_of_conversation ON executions (project_id, conversation_id, created_at, id);
