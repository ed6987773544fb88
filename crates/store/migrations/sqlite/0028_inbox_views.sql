-- Conversations of one person.
CREATE INDEX conversations_of_person ON conversations (project_id, assignee_id, last_active_at, id)
    WHERE assignee_id IS NOT NULL AND status = 'active';
-- Executions whose conversation may wait for a person. They are few among all.
CREATE INDEX executions_for_persons ON executions (project_id, conversation_id, id) WHERE status IN ('handoff', 'failed');
-- Requests to the model. Null for executions that began before this column.
ALTER TABLE executions ADD COLUMN llm_calls INTEGER;
