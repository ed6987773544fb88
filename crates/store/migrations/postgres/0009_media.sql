-- Files of people.

-- What became of the file that a message brought: a JSON object; null of a message without one.
ALTER TABLE messages ADD COLUMN media TEXT;
