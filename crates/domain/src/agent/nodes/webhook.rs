//! Webhooks that an agent may call: a WebhookNode's own, or one of a SubagentNode's tools.
//! `headers`, `body`, `body_schema` and `mock_response` may come as text holding JSON, encoded any
//! number of times. They are kept as JSON, and the first, second and fourth also as the text that
//! was written (`*_raw`).

use crate::agent::codes;
use crate::agent::headers;
use crate::agent::query;
use crate::agent::read::{Fields, Findings, Given};
use crate::agent::variables::{self, context_paths_of, each_string, placeholders_of, secret_names_of};
use crate::limits::{GRAPH_PATTERN_BYTES, SCHEMA_PATTERN_BYTES};
use crate::schema;
use serde_json::{Map, Value};
use std::fmt;

const FIELDS: &[&str] = &[
    "name",
    "description",
    "url",
    "http_method",
    "method",
    "headers",
    "headers_raw",
    "body",
    "body_raw",
    "body_schema",
    "jmespath_query",
    "mock_response_enabled",
    "mock_response",
    "mock_response_raw",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl HttpMethod {
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads a method in either case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An HTTP request that is offered to the model as a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Root of the tool's name; subagent tools only.
    pub name: Option<String>,
    /// For the model.
    pub description: Option<String>,
    pub url: String,
    pub method: HttpMethod,
    /// In the order written.
    pub headers: Vec<(String, String)>,
    /// Usually an object, else text. Not used when there is a schema.
    pub body: Value,
    /// JSON Schema of an object; its properties become arguments and the body.
    pub body_schema: Option<Value>,
    /// Applied to the response.
    pub jmespath_query: Option<String>,
    /// Return `mock_response` and make no request.
    pub mock_response_enabled: bool,
    pub mock_response: Option<Value>,
    /// `headers` as written, where they came as text.
    pub headers_raw: Option<String>,
    /// `body` as written, where it came as text.
    pub body_raw: Option<String>,
    /// `mock_response` as written, where it came as text.
    pub mock_response_raw: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

impl Webhook {
    /// The distinct `#{names}` that the model fills: of URL, headers and, without a schema, body,
    /// in this order.
    pub fn placeholders(&self) -> Vec<String> {
        placeholders_of(self.templates())
    }

    /// Names of the tool's arguments: the placeholders, then the properties of the schema.
    pub fn argument_names(&self) -> Vec<String> {
        let mut names = self.placeholders();
        let properties =
            self.body_schema.as_ref().and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        for name in properties.into_iter().flat_map(Map::keys) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Names of the secrets in URL, headers and body, each once.
    pub fn secret_names(&self) -> Vec<String> {
        secret_names_of(self.templates())
    }

    /// Every text with variables; the body's only without a schema.
    pub fn templates(&self) -> Vec<&str> {
        let mut texts = vec![self.url.as_str()];
        for (name, value) in &self.headers {
            texts.extend([name.as_str(), value.as_str()]);
        }
        if self.body_schema.is_none() {
            each_string(&self.body, &mut |text| texts.push(text));
        }
        texts
    }

    pub(super) fn read(value: Value, at: &str, tool: bool, found: &mut Findings) -> Option<Self> {
        let mut fields = Fields::open(value, at, FIELDS, found)?;
        fields.rename("method", "http_method");
        let url_at = fields.place("url");
        let url = fields.required("url", found);
        let headers = fields.given_object("headers", Some("headers_raw"), found);
        let (headers, headers_raw) = headers::read(headers, found);
        let body = fields.given("body", Some("body_raw"), found);
        let mock = fields.given("mock_response", Some("mock_response_raw"), found);
        let webhook = Self {
            name: if tool { Some(fields.required("name", found)) } else { None },
            description: fields.text("description", found),
            method: read_method(&mut fields, if tool { HttpMethod::Post } else { HttpMethod::Get }, found),
            body_raw: body.as_ref().and_then(|given| given.raw.clone()),
            body: body.map(|given| given.value).filter(|body| !body.is_null()).unwrap_or_else(|| Map::new().into()),
            body_schema: read_schema(&mut fields, found),
            jmespath_query: query::read(&mut fields, found),
            mock_response_enabled: fields.flag("mock_response_enabled", found).unwrap_or(false),
            mock_response_raw: mock.as_ref().and_then(|given: &Given| given.raw.clone()),
            mock_response: mock.map(|given| given.value).filter(|mock| !mock.is_null()),
            url,
            headers,
            headers_raw,
            extra: fields.rest(),
        };
        if !found.trusting {
            check_url(&webhook.url, &url_at, found);
            check_variables(webhook.templates(), at, found);
        }
        Some(webhook)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.and_then(|value| out.insert(key.to_owned(), value));
        put("name", self.name.clone().map(Value::from));
        put("description", self.description.clone().map(Value::from));
        put("url", Some(self.url.clone().into()));
        put("http_method", Some(self.method.as_str().into()));
        put("headers", Some(headers::to_json(&self.headers)));
        put("headers_raw", self.headers_raw.clone().map(Value::from));
        put("body", Some(self.body.clone()));
        put("body_raw", self.body_raw.clone().map(Value::from));
        put("body_schema", self.body_schema.clone());
        put("jmespath_query", self.jmespath_query.clone().map(Value::from));
        put("mock_response_enabled", Some(self.mock_response_enabled.into()));
        put("mock_response", self.mock_response.clone());
        put("mock_response_raw", self.mock_response_raw.clone().map(Value::from));
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}

/// Name of a webhook's tool: `Get stock` → `get_stock_request`.
pub fn request_tool_name(root: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let digit = if root.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    format!("{digit}{}_request", root.chars().map(word).collect::<String>())
}

/// Warns about unknown engine variables.
pub(super) fn check_variables<'a>(texts: impl IntoIterator<Item = &'a str>, at: &str, found: &mut Findings) {
    for path in context_paths_of(texts) {
        if !variables::is_known_path(&path) {
            let hint = "write #{name} for what the model fills in";
            found.warn(at, codes::UNKNOWN_VARIABLE, format!("{{{{{path}}}}} names nothing and will be empty; {hint}"));
        }
    }
}

fn read_method(fields: &mut Fields, default: HttpMethod, found: &mut Findings) -> HttpMethod {
    let at = fields.place("http_method");
    let Some(text) = fields.text("http_method", found) else { return default };
    HttpMethod::parse(&text).unwrap_or_else(|| {
        found.unknown(&at, codes::BAD_HTTP_METHOD, "HTTP method", &text, HttpMethod::ALL.map(HttpMethod::as_str));
        default
    })
}

fn read_schema(fields: &mut Fields, found: &mut Findings) -> Option<Value> {
    let (schema, given) = fields.given_object("body_schema", None, found)?;
    if schema.is_empty() {
        return None;
    }
    let schema = Value::Object(schema);
    if found.trusting {
        return Some(schema);
    }
    let of_object = schema.get("type").map_or(schema.get("properties").is_some(), |kind| kind == "object");
    if !of_object {
        found.error(given.at, codes::BAD_BODY_SCHEMA, "body_schema must describe an object: \"type\": \"object\"");
    } else if let Err(problem) = check_schema(&schema, found) {
        found.error(given.at, codes::BAD_BODY_SCHEMA, format!("body_schema cannot be used: {problem}"));
    } else if schema.get("properties").is_some_and(|properties| !properties.is_object()) {
        found.error(given.at, codes::BAD_BODY_SCHEMA, "properties of body_schema must be an object");
    }
    Some(schema)
}

fn check_schema(schema: &Value, found: &mut Findings) -> Result<(), String> {
    if found.pattern_bytes > GRAPH_PATTERN_BYTES {
        return Err(format!("the patterns of a graph's schemas compile to more than {GRAPH_PATTERN_BYTES} bytes"));
    }
    let compiled = schema::compiled(schema);
    found.pattern_bytes += compiled.as_ref().map_or(SCHEMA_PATTERN_BYTES, |schema| schema.pattern_bytes());
    compiled.map(|_| ())
}

/// Accepts http and https once every variable is replaced by a harmless value. A leading `{{…}}`
/// may hold scheme and host.
pub(super) fn check_url(url: &str, at: &str, found: &mut Findings) {
    if url.trim().is_empty() {
        return;
    }
    let whole = |replacement: &str| {
        let filled = variables::replace_all(url, replacement);
        url::Url::parse(&filled).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    let begins_open = url.trim_start().starts_with("{{");
    // A port must be a number and a scheme a scheme, so one replacement alone is not enough.
    let filled = || url.contains("{{") && whole("1");
    let based = || begins_open && (whole("https") || whole("https://x"));
    if !(whole("x") || filled() || based()) {
        found.error(at, codes::BAD_URL, "not an absolute http or https URL");
    } else if variables::model_fills_origin(url) {
        let message = "scheme, host and port cannot come from the model; such calls are refused";
        found.warn(at, codes::HOST_FROM_MODEL, message);
    }
}
