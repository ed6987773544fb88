-- Tools of an agent's MCP servers as they were listed first after the agent was saved.
CREATE TABLE mcp_pins (
    project_id UUID NOT NULL REFERENCES projects (id),
    agent_id UUID NOT NULL,
    node TEXT NOT NULL,
    -- The server's name in the node.
    server TEXT NOT NULL,
    -- JSON: digest of each tool by its name.
    tools TEXT NOT NULL,
    pinned_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, agent_id, node, server)
);
