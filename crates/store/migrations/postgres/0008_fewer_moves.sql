-- What a turn writes is in as few indexes as lists need.

-- Nothing reads events of all projects in the order of time.
DROP INDEX events_tail;

-- One person has few conversations: they are put in order when they are asked for, and the entry stays where it is.
DROP INDEX conversations_of_phone;
CREATE INDEX conversations_of_phone ON conversations (project_id, phone_number, phone_number_id) WHERE phone_number_id <> '';
