-- Links with which customers connect a number on a hosted page. The token of a link is derived from
-- its id with the master key, and stored nowhere.
CREATE TABLE setup_links (
    project_id UUID NOT NULL REFERENCES projects (id),
    id UUID NOT NULL,
    customer_id UUID NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    success_redirect_url TEXT,
    failure_redirect_url TEXT,
    -- JSON lists.
    allowed_connection_types TEXT NOT NULL,
    phone_number_country_isos TEXT NOT NULL,
    phone_number_area_code TEXT,
    -- JSON object of colours.
    theme_config TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, customer_id) REFERENCES customers (project_id, id)
);
CREATE INDEX setup_links_of_customer ON setup_links (project_id, customer_id, created_at, id);
