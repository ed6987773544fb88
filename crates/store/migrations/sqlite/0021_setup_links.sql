-- Links with which customers connect a number on a hosted page. The token of a link is derived from
-- its id with the master key, and stored nowhere.
CREATE TABLE setup_links (
    project_id BLOB NOT NULL REFERENCES projects (id),
    id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER,
    success_redirect_url TEXT,
    failure_redirect_url TEXT,
    -- JSON lists.
    allowed_connection_types TEXT NOT NULL,
    phone_number_country_isos TEXT NOT NULL,
    phone_number_area_code TEXT,
    -- JSON object of colours.
    theme_config TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX setup_links_of_customer ON setup_links (project_id, customer_id, created_at, id);
