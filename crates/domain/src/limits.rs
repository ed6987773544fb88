//! Limits on the cost of what tenants, tools and models send, as one table.
//! They are counted and never timed, so that every machine and every replay stops at the same
//! point. Limits of a turn are in `engine::limits`.

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub value: usize,
    /// Reason for the number.
    pub reason: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident = $value:expr, $reason:literal;)+) => {
        $($(#[$doc])+ pub const $name: usize = $value;)+

        /// All limits of this file.
        pub const TABLE: &[Limit] = &[$(Limit { name: stringify!($name), value: $name, reason: $reason }),+];
    };
}

limits! {
    /// Bytes of a JMESPath expression.
    QUERY_BYTES = 1_024, "the expressions in use have a tenth of it";
    /// Operators of a JMESPath expression inside or after one another.
    QUERY_NESTING = 100, "parser and interpreter recurse; a stack of 2 MiB bears twice as many";
    /// Nodes that one query may read, create and return.
    QUERY_NODES = 500_000, "an answer of 1 MiB has 100,000; each may take 60 bytes and 100 ns";
    /// Bytes of text that one query may read, create and return.
    QUERY_TEXT = 4 << 20, "an answer has at most 1 MiB";
    /// Bytes of a JSON Schema.
    SCHEMA_BYTES = 64 << 10, "a tool of a large API has 20 kB";
    /// Parts of a JSON Schema with every $ref expanded.
    SCHEMA_PARTS = 10_000, "references can double at each level; a large API has a few hundred";
    /// Levels of a JSON Schema with every $ref expanded.
    SCHEMA_DEPTH = 64, "the validator recurses; graphs are nested 64 levels";
    /// Patterns of a JSON Schema.
    SCHEMA_PATTERNS = 32, "each takes milliseconds to compile";
    /// Bytes of a JSON Schema's compiled patterns.
    SCHEMA_PATTERN_BYTES = 2 << 20, "^.{1,255}$ has 0.5 MiB; a matching thread needs 256 KiB more";
    /// Bytes of the compiled patterns of all schemas of a graph.
    GRAPH_PATTERN_BYTES = 16 << 20, "saving a graph compiles them: a fraction of a second";
    /// Units of work to check one value: a keyword, or ten states of a pattern for a byte.
    SCHEMA_WORK = 2_000_000, "about 100 ms";
    /// Units of work up to which the errors of a value are listed.
    SCHEMA_ERRORS_WORK = 50_000, "each unit may give an error of 300 bytes";
    /// Bytes of the compiled schemas that a process keeps.
    SCHEMA_CACHE = 32 << 20, "5,000 ordinary schemas";
    /// Estimated bytes of the compiled agents that a process keeps.
    AGENT_CACHE = 128 << 20, "two of the largest, or a thousand ordinary ones";
    /// Estimated bytes of the tool lists of MCP servers that a process keeps.
    MCP_CACHE = 16 << 20, "a list has 100 kB";
    /// Bytes of a filled prompt: the system prompt, or the step prompt without its next steps.
    PROMPT_BYTES = 256 << 10, "a node's own prompt has at most 64 KiB";
    /// Bytes of the filled edge labels and conditions of one step prompt.
    LABELS_BYTES = 128 << 10, "a label has at most 2,000 characters, and most have a hundred";
    /// Bytes of a filled request to a webhook or an MCP server.
    REQUEST_BYTES = 1 << 20, "its answer has at most as many";
    /// Variables that are filled into one request.
    REQUEST_VARIABLES = 10_000, "a fraction of a millisecond; a request of 1 MiB would have room for 200,000";
    /// Secrets of one request.
    REQUEST_SECRETS = 64, "a request has 32 headers at most";
    /// JSON values of an API body.
    BODY_VALUES = 100_000, "a field counts twice; 10 MiB of memory";
    /// JSON values of a body with a graph.
    GRAPH_VALUES = 250_000, "2,300 nodes and edges, and 200 tools with large schemas; 25 MiB of memory";
    /// JSON values of a tool's answer.
    ANSWER_VALUES = 200_000, "an answer of 1 MiB has 100,000";
    /// JSON values of a model's answer.
    MODEL_VALUES = 100_000, "an answer is text and 20 calls";
    /// JSON values of a webhook of Meta.
    WEBHOOK_VALUES = 1_000_000, "a delivery of 3 MB has 25,000 statuses of 30";
}
