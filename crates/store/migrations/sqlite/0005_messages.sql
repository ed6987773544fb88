-- Messages of every type over the API.

-- Files that came over the API wait here until WhatsApp has them; in pieces, so that no transaction holds a whole one.
CREATE TABLE upload_pieces (
    project_id BLOB NOT NULL REFERENCES projects (id),
    upload_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (project_id, upload_id, seq)
) STRICT;

-- All that was ever said with one person: whether the service window is open does not end with a conversation.
CREATE INDEX conversations_of_contact ON conversations (project_id, contact_id, phone_number_id);

-- A file tends to show up after the text that follows it: what comes next waits for the file's status, until this time at the latest.
ALTER TABLE conversations ADD COLUMN send_after INTEGER;
