-- Who made a key, signed in from a command line: what is done with it is theirs. Null: the operator, for a program.
ALTER TABLE api_keys ADD COLUMN user_id BLOB;
