-- How messages of a project's agents reach people: JSON of `domain::agent_messages`. Projects from before have none.
ALTER TABLE projects ADD COLUMN agent_messages TEXT;
-- Time of the message of an agent with the disclosure; none again after a person gave the conversation back.
ALTER TABLE contacts ADD COLUMN disclosed_at INTEGER;
