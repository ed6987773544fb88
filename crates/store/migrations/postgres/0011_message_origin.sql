-- The author of each message: contact, agent, person, api, sandbox or phone.
ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT 'api';

-- Rows of earlier versions, from what they stored:
-- 1. Inbound messages are the contact's.
UPDATE messages SET origin = 'contact' WHERE direction = 'inbound';
-- 2. Outbound messages of an execution are the agent's, also in tests.
UPDATE messages SET origin = 'agent' WHERE direction = 'outbound' AND execution_id IS NOT NULL;
-- 3. The sandbox's answers have this source key in the outbox.
UPDATE messages SET origin = 'sandbox' WHERE (project_id, id) IN
    (SELECT project_id, message_id FROM outbox WHERE source_key LIKE 'sandbox:%' AND execution_id IS NULL);
-- 4. All others came over the API: nothing else could send. `person` and `phone` did not exist.
