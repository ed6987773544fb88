-- The author of each message: contact, agent, person, api, sandbox or phone.
ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT 'api';

-- Rows of earlier versions, from what they stored, in one pass. Inbound messages are the contact's.
-- Outbound messages of an execution are the agent's, also in tests. The sandbox's answers have this
-- source key in the outbox. All others came over the API: nothing else could send; `person` and
-- `phone` did not exist.
UPDATE messages SET origin = CASE
    WHEN direction = 'inbound' THEN 'contact'
    WHEN execution_id IS NOT NULL THEN 'agent'
    ELSE 'sandbox'
END
WHERE direction = 'inbound' OR execution_id IS NOT NULL OR (project_id, id) IN
    (SELECT project_id, message_id FROM outbox WHERE source_key LIKE 'sandbox:%' AND execution_id IS NULL);
