-- Work that was in progress when a process died, and work that panicked. Rows are rare and short-lived.
CREATE TABLE suspects (
    project_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    -- Deaths and panics since the work last committed an outcome.
    deaths INTEGER NOT NULL,
    -- Set when the work was failed for good.
    parked_at INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, subject_id)
) STRICT, WITHOUT ROWID;
