//! Remote MCP servers, whose tools a SubagentNode may use. Local processes are never started.

use super::webhook::{check_url, check_variables};
use crate::agent::codes;
use crate::agent::headers;
use crate::agent::query;
use crate::agent::read::{Fields, Findings, each, put, short};
use crate::agent::variables::secret_names_of;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Clone, PartialEq)]
pub struct McpServer {
    /// Unique in the node.
    pub name: String,
    pub url: String,
    pub transport: Transport,
    /// For the model.
    pub description: Option<String>,
    /// May hold `{{secrets.x}}`.
    pub headers: Vec<(String, String)>,
    /// Applied to the results of its tools.
    pub jmespath_queries: Vec<ToolQuery>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

/// A JMESPath expression for one tool of an MCP server.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolQuery {
    /// Name at the server.
    pub tool_name: String,
    pub jmespath_query: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

/// MCP transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The current transport.
    StreamableHttp,
    /// The older transport with server-sent events.
    Sse,
}

impl Transport {
    /// The word in graphs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StreamableHttp => "streamable_http",
            Self::Sse => "sse",
        }
    }
}

impl McpServer {
    /// Names of the secrets in the headers, each once.
    pub fn secret_names(&self) -> Vec<String> {
        secret_names_of(self.templates())
    }

    fn templates(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()])
    }

    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] =
            &["name", "url", "transport_kind", "description", "headers", "jmespath_queries", "command"];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        if fields.has("command") {
            found.error(
                fields.place("command"),
                codes::BAD_TRANSPORT,
                "local MCP servers are never started; give the url of a remote one",
            );
        }
        let name = fields.required("name", found);
        let url_at = fields.place("url");
        let url = fields.required("url", found);
        if !found.trusting {
            check_url(&url, &url_at, found);
        }
        let headers = fields.given_object("headers", None, found);
        let mut jmespath_queries = Vec::new();
        for (value, at) in each(&mut fields, "jmespath_queries", found) {
            let Some(mut fields) = Fields::open(value, &at, &["tool_name", "jmespath_query"], found) else { continue };
            let tool_name = fields.required("tool_name", found);
            let jmespath_query = query::read(&mut fields, found);
            jmespath_queries.push(ToolQuery { tool_name, jmespath_query, extra: fields.rest() });
        }
        let server = Self {
            name,
            url,
            transport: read_transport(&mut fields, found),
            description: fields.text("description", found),
            headers: headers::read(headers, found).0,
            jmespath_queries,
            extra: fields.rest(),
        };
        if !found.trusting {
            check_variables(server.templates(), at, found);
        }
        Some(server)
    }

    pub(super) fn to_json(&self) -> Value {
        let query = |query: &ToolQuery| {
            let mut out = Map::new();
            put(&mut out, "tool_name", Some(&query.tool_name));
            put(&mut out, "jmespath_query", query.jmespath_query.as_deref());
            out.extend(query.extra.clone());
            Value::Object(out)
        };
        let mut out = Map::new();
        put(&mut out, "name", Some(&self.name));
        put(&mut out, "url", Some(&self.url));
        put(&mut out, "transport_kind", Some(self.transport.as_str()));
        put(&mut out, "description", self.description.as_deref());
        out.insert("headers".into(), headers::to_json(&self.headers));
        out.insert("jmespath_queries".into(), self.jmespath_queries.iter().map(query).collect());
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}

fn read_transport(fields: &mut Fields, found: &mut Findings) -> Transport {
    let at = fields.place("transport_kind");
    match fields.text("transport_kind", found).as_deref() {
        None | Some("streamable_http") => Transport::StreamableHttp,
        Some("sse") => Transport::Sse,
        Some(other) => {
            let message = format!("no transport '{}'; use streamable_http or sse", short(other));
            found.error(at, codes::BAD_TRANSPORT, message);
            Transport::StreamableHttp
        }
    }
}
