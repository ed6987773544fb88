-- Place of the contact's message that an execution began with. Null for one that began through the
-- API, or before this column.
ALTER TABLE executions ADD COLUMN first_message_seq INTEGER;
