-- Executions of all agents, newest first. Those of tests are in no list.
CREATE INDEX executions_newest ON executions (project_id, created_at, id) WHERE began_with IS NULL;
