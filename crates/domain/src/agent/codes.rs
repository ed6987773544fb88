//! Codes of problems with a graph. The documentation is generated from [`ALL`].

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The value of `details[].code`.
    pub code: &'static str,
    pub meaning: &'static str,
    /// A warning never blocks saving.
    pub warning: bool,
}

macro_rules! codes {
    ($($severity:ident $name:ident = $code:literal: $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// Every code, errors first.
        pub const ALL: &[Code] = &[
            $(Code { code: $code, meaning: $meaning, warning: codes!(@warning $severity) },)*
        ];
    };
    (@warning error) => { false };
    (@warning warning) => { true };
}

codes! {
    error WRONG_TYPE = "wrong_type": "A field holds JSON of another type than it should.";
    error MISSING_FIELD = "missing_field": "A required field is absent, null or empty.";
    error BAD_JSON = "bad_json": "A string that must hold JSON does not.";
    error TOO_DEEP = "too_deep": "JSON is nested deeper than 64 levels.";
    error OUT_OF_RANGE = "out_of_range": "A number is smaller or larger than allowed.";
    error NO_NODES = "no_nodes": "The graph has no nodes.";
    error MISSING_ID = "missing_id": "A node's id is empty.";
    error DUPLICATE_ID = "duplicate_id": "Two nodes have the same id.";
    error MISSING_NAME = "missing_name": "A node has no name.";
    error BAD_NAME = "bad_name": "A node name is not 1 to 64 of A-Z, a-z, 0-9 and _.";
    error RESERVED_NAME = "reserved_name": "A node name is START, END or end, or holds __at__.";
    error DUPLICATE_NAME = "duplicate_name": "Two nodes have the same name.";
    error SIMILAR_NAME = "similar_name": "Two node names differ only in upper and lower case.";
    error MISSING_START = "missing_start": "No node is named __start__.";
    error DUPLICATE_START = "duplicate_start": "More than one node is named __start__.";
    error MISSING_END = "missing_end": "No node is named __end__.";
    error DUPLICATE_END = "duplicate_end": "More than one node is named __end__.";
    error START_EDGE_COUNT = "start_edge_count": "__start__ does not have exactly one outgoing edge.";
    error START_EDGE_LABELLED = "start_edge_labelled": "The edge out of __start__ has a label.";
    error EDGE_INTO_START = "edge_into_start": "An edge leads to __start__.";
    error START_TO_GLOBAL = "start_to_global": "The edge out of __start__ leads to a global node.";
    error START_TO_END = "start_to_end": "The edge out of __start__ leads to __end__.";
    error EDGE_FROM_END = "edge_from_end": "An edge leaves __end__.";
    error UNKNOWN_NODE = "unknown_node": "An edge names a node that does not exist.";
    error DUPLICATE_EDGE = "duplicate_edge": "Two edges join the same nodes in the same direction.";
    error SELF_LOOP = "self_loop": "An edge leads back to the node it leaves.";
    error UNKNOWN_TYPE = "unknown_type": "A node type that does not exist.";
    error BAD_HTTP_METHOD = "bad_http_method": "A method other than GET, POST, PUT, PATCH and DELETE.";
    error BAD_URL = "bad_url": "Not an absolute http or https URL, with every variable replaced by x.";
    error BAD_JMESPATH = "bad_jmespath": "A JMESPath expression that does not parse, has more than 1,024 bytes or nests more than 100 operators.";
    error BAD_BODY_SCHEMA = "bad_body_schema": "Not a JSON Schema of an object, larger than docs/spec/reliability.md 11 allows, or it refers to another document.";
    error BAD_TRANSPORT = "bad_transport": "An MCP transport other than streamable_http and sse; local processes are never started.";
    error BAD_TOOL_NAME = "bad_tool_name": "A tool's name, as the model sees it, is not 1 to 64 of A-Z, a-z, 0-9 and _.";
    error DUPLICATE_TOOL_NAME = "duplicate_tool_name": "Two tools of one node have the same name.";
    error RESERVED_TOOL_NAME = "reserved_tool_name": "A tool is named like one of the built-in tools.";
    error DUPLICATE_KEY = "duplicate_key": "Two knowledge bases of one node have the same key; case does not count.";
    error FILE_NOT_INLINED = "file_not_inlined": "A knowledge base names a file, which a server cannot read; send its text.";
    error BAD_HEADER = "bad_header": "A header name that is not allowed in HTTP, or a line break in a header.";
    error FORBIDDEN_HEADER = "forbidden_header": "A header that belongs to the connection, not to the request.";
    error TOO_MANY_HEADERS = "too_many_headers": "More than 32 headers.";
    error HEADERS_TOO_LARGE = "headers_too_large": "Headers of more than 4 KiB.";
    error MISSING_GLOBAL_CONDITION = "missing_global_condition": "A global node without a condition.";
    error CONDITION_WITHOUT_GLOBAL = "condition_without_global": "A global condition on a node that is not global.";
    error TERMINAL_GLOBAL = "terminal_global": "__start__ or __end__ is global.";
    error TOO_MANY_NODES = "too_many_nodes": "More than 300 nodes.";
    error TOO_MANY_EDGES = "too_many_edges": "More than 2,000 edges.";
    error TOO_MANY_TOOLS = "too_many_tools": "More than 200 tools in all nodes together.";
    error PROMPT_TOO_LONG = "prompt_too_long": "A prompt of more than 64 KiB.";
    error LABEL_TOO_LONG = "label_too_long": "An edge label of more than 2,000 characters.";
    error CONDITION_TOO_LONG = "condition_too_long": "A global condition of more than 2,000 characters.";
    error KNOWLEDGE_TOO_LONG = "knowledge_too_long": "A knowledge text of more than 5 MiB.";
    error GRAPH_TOO_LARGE = "graph_too_large": "Graph JSON of more than 10 MiB, or more than 250,000 values in its texts with JSON.";
    warning UNREACHABLE_NODE = "unreachable_node": "No way leads from __start__ or a global node to this node.";
    warning END_UNREACHABLE = "end_unreachable": "No way leads to __end__, and no HandoffNode or WarmEndNode ends conversations.";
    warning DEAD_END = "dead_end": "A node that nothing leads out of.";
    warning UNLABELLED_EDGE = "unlabelled_edge": "One of several edges out of a node has no label.";
    warning TEMPLATE_WITHOUT_IDS = "template_without_ids": "A WhatsApp template without whatsapp_config_id or whatsapp_template_id.";
    warning UNKNOWN_VARIABLE = "unknown_variable": "{{...}} that names nothing; in a webhook, what the model fills is written #{name}.";
    warning SECRET_IN_PROMPT = "secret_in_prompt": "{{secrets...}} in a prompt, label or condition, where it is empty.";
    warning ARGUMENT_IN_PROMPT = "argument_in_prompt": "#{...} in a prompt, label or condition, where no tool call fills it.";
    warning HOST_FROM_MODEL = "host_from_model": "#{...} in the scheme, host or port of a URL; such calls are refused when they are made.";
    warning SCHEMA_REWRITTEN = "schema_rewritten": "anyOf, oneOf or allOf at the top of a body_schema, which models refuse: one object with the properties of all is offered.";
    warning DESCRIPTION_CUT = "description_cut": "A description of a tool over 1,024 characters, which models refuse: its beginning is offered.";
    warning EMPTY_KNOWLEDGE = "empty_knowledge": "A knowledge base without text.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_distinct_snake_case_word() {
        for (index, one) in ALL.iter().enumerate() {
            assert!(one.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", one.code);
            assert!(ALL[..index].iter().all(|other| other.code != one.code), "{}", one.code);
        }
    }
}
