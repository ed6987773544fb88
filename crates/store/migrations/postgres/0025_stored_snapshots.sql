-- Versions of agents count as stored bytes of their project.
INSERT INTO counters
SELECT project_id, 'stored_bytes', project_id, 0, CAST(SUM(octet_length(content)) AS BIGINT) FROM agent_snapshots WHERE true GROUP BY project_id
ON CONFLICT (project_id, list, of_id, shard) DO UPDATE SET n = counters.n + excluded.n;
