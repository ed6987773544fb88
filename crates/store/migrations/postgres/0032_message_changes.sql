-- Changes of messages by their author: edits and deletions.
-- Meta's times: of the text as it is now, if it was edited, and of the deletion.
ALTER TABLE messages ADD COLUMN edited_at BIGINT;
ALTER TABLE messages ADD COLUMN deleted_at BIGINT;

-- JSON of the earlier texts of an edited message; a deletion removes them.
ALTER TABLE messages ADD COLUMN earlier_texts TEXT;

-- Ids of messages that their author deleted, and of their edits: inputs in the journal have them.
CREATE TABLE deleted_wamids (
    project_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    wamid TEXT NOT NULL,
    PRIMARY KEY (project_id, conversation_id, wamid)
);

-- Changes that arrived before their message, at most one of each.
CREATE TABLE waiting_changes (
    project_id UUID NOT NULL,
    phone_number_id TEXT NOT NULL,
    wamid TEXT NOT NULL,
    body TEXT NOT NULL,
    is_deletion BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, phone_number_id, wamid)
);
CREATE INDEX waiting_changes_age ON waiting_changes (created_at);

-- The contact's messages in an entry, JSON of [{id, bytes}].
ALTER TABLE history ADD COLUMN messages TEXT;
