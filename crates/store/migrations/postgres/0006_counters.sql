-- Lists of any length are shown, filtered and counted at the same cost.

-- How many things a whole list has: the sum of its rows. `of_id` is the project itself, or what of it has the list.
CREATE TABLE counters (
    project_id UUID NOT NULL REFERENCES projects (id),
    list TEXT NOT NULL,
    of_id UUID NOT NULL,
    shard BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (project_id, list, of_id, shard)
);

-- What is there already.
INSERT INTO counters SELECT project_id, 'agents', project_id, 0, count(*) FROM agents GROUP BY project_id;
INSERT INTO counters SELECT project_id, 'contacts', project_id, 0, count(*) FROM contacts WHERE wa_id IS NOT NULL OR user_id IS NOT NULL GROUP BY project_id;
INSERT INTO counters SELECT project_id, 'conversations', project_id, 0, count(*) FROM conversations WHERE phone_number_id <> '' GROUP BY project_id;
INSERT INTO counters SELECT project_id, 'customers', project_id, 0, count(*) FROM customers GROUP BY project_id;
INSERT INTO counters SELECT project_id, 'executions', agent_id, 0, count(*) FROM executions WHERE began_with IS NULL GROUP BY project_id, agent_id;
INSERT INTO counters SELECT project_id, 'sandbox_sessions', project_id, 0, count(*) FROM sandbox_sessions GROUP BY project_id;
INSERT INTO counters SELECT project_id, 'test_runs_of_case', case_id, 0, count(*) FROM test_runs GROUP BY project_id, case_id;
INSERT INTO counters SELECT project_id, 'test_runs_of_suite', suite_id, 0, count(*) FROM test_runs GROUP BY project_id, suite_id;
INSERT INTO counters SELECT project_id, 'whatsapp_configs', project_id, 0, count(*) FROM whatsapp_configs GROUP BY project_id;

-- Lists in the order in which they are shown, each behind what it may be filtered by exactly. What is in no list is in no
-- index; the columns that say so stand last in it, because SQLite counts by an index alone only if it has every column of
-- the condition.
DROP INDEX contacts_newest;
DROP INDEX contacts_of_customer;
CREATE INDEX contacts_newest ON contacts (project_id, created_at, id, wa_id, user_id) WHERE wa_id IS NOT NULL OR user_id IS NOT NULL;
CREATE INDEX contacts_of_customer ON contacts (project_id, customer_id, created_at, id, wa_id, user_id) WHERE wa_id IS NOT NULL OR user_id IS NOT NULL;
DROP INDEX conversations_inbox;
CREATE INDEX conversations_inbox ON conversations (project_id, last_active_at, id, phone_number_id) WHERE phone_number_id <> '';
CREATE INDEX conversations_of_status ON conversations (project_id, status, last_active_at, id, phone_number_id) WHERE phone_number_id <> '';
CREATE INDEX conversations_of_phone ON conversations (project_id, phone_number, last_active_at, id, phone_number_id) WHERE phone_number_id <> '';
DROP INDEX executions_of_agent;
CREATE INDEX executions_of_agent ON executions (project_id, agent_id, created_at, id, began_with) WHERE began_with IS NULL;
CREATE INDEX executions_of_status ON executions (project_id, agent_id, status, created_at, id, began_with) WHERE began_with IS NULL;
CREATE INDEX executions_of_phone ON executions (project_id, agent_id, phone_number, created_at, id, began_with) WHERE began_with IS NULL;
CREATE INDEX whatsapp_configs_of_waba ON whatsapp_configs (project_id, waba_id, created_at, id);
DROP INDEX test_runs_of_suite;
CREATE INDEX test_runs_of_suite ON test_runs (project_id, suite_id, created_at, id);
CREATE INDEX test_runs_in_status ON test_runs (project_id, suite_id, status, created_at, id);
CREATE INDEX agent_whatsapp_configs_of_agent ON agent_whatsapp_configs (project_id, agent_id, created_at, id);
