-- How an agent is run beside its prompt and graph, and when something that its prompts show of a contact has changed.

-- JSON objects and a JSON list; null is the usual.
ALTER TABLE agents ADD COLUMN llm_config TEXT;
ALTER TABLE agents ADD COLUMN limits TEXT;
ALTER TABLE agents ADD COLUMN enabled_tools TEXT;
-- `mock_only`; null: requests are made in tests as well.
ALTER TABLE agents ADD COLUMN webhooks_in_tests TEXT;

-- Goes up with each change of metadata and notes: whoever has seen this number need not read them again.
ALTER TABLE contacts ADD COLUMN about_version INTEGER NOT NULL DEFAULT 0;
UPDATE contacts SET about_version = 1 WHERE metadata <> '{}' OR EXISTS (
    SELECT 1 FROM contact_notes WHERE contact_notes.project_id = contacts.project_id AND contact_notes.contact_id = contacts.id);
