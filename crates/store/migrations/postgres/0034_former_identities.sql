-- Identities that their contact no longer has: a late message still finds the contact by them, and
-- does not change its address.
ALTER TABLE contact_identities ADD COLUMN former BIGINT NOT NULL DEFAULT 0;
CREATE INDEX contact_identities_of_contact ON contact_identities (project_id, contact_id);
