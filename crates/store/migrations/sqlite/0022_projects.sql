-- Projects whose agents do nothing, for the scans of the workers.
CREATE INDEX projects_stopped ON projects (id) WHERE archived_at IS NOT NULL OR deleted_at IS NOT NULL;
-- Projects whose rows are being deleted. Almost always empty.
CREATE INDEX projects_deleted ON projects (id) WHERE deleted_at IS NOT NULL;
-- What is deleted first: a number is free for another project at once.
CREATE INDEX directory_of_project ON directory (project_id);
