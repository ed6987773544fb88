-- Work that was in progress when a process died, and work that panicked. Rows are rare and short-lived.
CREATE TABLE suspects (
    project_id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    -- Deaths and panics since the work last committed an outcome.
    deaths BIGINT NOT NULL,
    -- Set when the work was failed for good.
    parked_at BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, subject_id)
);
