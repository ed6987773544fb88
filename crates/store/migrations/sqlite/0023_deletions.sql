-- A deleted agent is in no list and starts nothing; executions keep the snapshots that they pin.
ALTER TABLE agents ADD COLUMN deleted_at INTEGER;
DROP INDEX agents_newest;
CREATE INDEX agents_newest ON agents (project_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX sandbox_sessions_of_agent ON sandbox_sessions (project_id, agent_id);
CREATE INDEX agent_snapshots_newest ON agent_snapshots (project_id, agent_id, created_at, id);

-- Names of the secrets of agents, for their list. One that was set before gets its name when it is
-- set again: the id derives from the name, which is stored nowhere.
ALTER TABLE secrets ADD COLUMN name TEXT;
ALTER TABLE secrets ADD COLUMN updated_at INTEGER;
CREATE INDEX secrets_named ON secrets (project_id, created_at, id) WHERE name IS NOT NULL;
