//! `<name>_request`: an HTTP request that the builder configured and the model fills in.

use crate::{effect::Effect, limits, state::Pending, step_builder::StepBuilder, variable_values};
use domain::{
    agent::{
        HttpMethod, Room, Webhook,
        variables::{self, Destination, Sources},
    },
    chat::{ToolCall, ToolSpec},
    json,
    limits::{ANSWER_VALUES, REQUEST_BYTES, REQUEST_SECRETS, REQUEST_VARIABLES},
    numbers,
    tool_request::{SecretMarks, ToolRequest},
};
use serde_json::{Map, Value, json};

/// The tool as offered: one required text for each `#{name}`, then the properties, definitions and
/// rules of the body's schema.
pub(crate) fn spec(name: &str, settings: &Webhook, node_description: Option<&str>) -> ToolSpec {
    let mut parameters = json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    let mut properties = Map::new();
    let mut required: Vec<Value> = Vec::new();
    for argument in settings.placeholders() {
        properties.insert(argument.clone(), json!({"type": "string"}));
        required.push(Value::String(argument));
    }
    if let Some(schema) = &settings.body_schema {
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            properties.extend(fields.clone());
        }
        for field in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !required.contains(field) {
                required.push(field.clone());
            }
        }
        for (key, value) in schema.as_object().into_iter().flatten() {
            if !parameters.as_object().is_some_and(|ours| ours.contains_key(key)) {
                parameters[key] = value.clone();
            }
        }
    }
    parameters["properties"] = Value::Object(properties);
    parameters["required"] = Value::Array(required);
    let described = settings.description.as_deref().or(node_description).map(str::trim).filter(|text| !text.is_empty());
    let description = described.map_or_else(|| format!("{} {}", settings.method.as_str(), settings.url), str::to_owned);
    ToolSpec { name: name.into(), description, parameters }
}

pub(crate) fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: Map<String, Value>) {
    let Some(settings) =
        step.agent.node(&step.state.visit.node).and_then(|node| node.webhooks.get(&call.name)).cloned()
    else {
        return step.answer_first_call(call, json!({"error": "unknown_tool", "code": "unknown_tool"}));
    };
    if let Some(read) = step.agent.node(&step.state.visit.node).and_then(|node| node.mock_result(&call.name)).cloned() {
        if let Some(warning) = read.warning {
            step.event("warning", warning);
        }
        return step.answer_first_call(call, read.result);
    }
    // Counted before anything is filled: the filling runs inside of the step's transaction.
    if variables::exceed(settings.templates(), REQUEST_VARIABLES) {
        return step.refuse_large_request(call);
    }
    if !origin_is_fixed(step, &settings.url, &arguments) {
        let error = "scheme, host and port of the URL must not come from the conversation";
        return step.answer_first_call(call, json!({"error": error, "code": "blocked_address"}));
    }
    if changes_path(step, &settings, &arguments) {
        let error = "a value leaves a part of the URL's path empty, or is . or ..: it would address something else";
        return step.answer_first_call(call, json!({"error": error, "code": "bad_url_value"}));
    }
    match request(step, &settings, &arguments) {
        Some((request, secrets)) => step.request(call, request, secrets),
        None => step.refuse_large_request(call),
    }
}

impl StepBuilder<'_> {
    pub(crate) fn refuse_large_request(&mut self, call: &ToolCall) {
        let error = "request too large: with its variables filled in it exceeds 1 MiB, or it has over 10,000 variables \
                     or names over 64 secrets";
        self.answer_first_call(call, json!({"error": error, "code": "request_too_large"}));
    }

    /// Makes a request; its outcome becomes the call's result.
    pub(crate) fn request(&mut self, call: &ToolCall, request: ToolRequest, secrets: SecretMarks) {
        if self.state.facts.test_mode && self.agent.mock_only_in_tests {
            let error = "this agent makes no requests in tests; give the webhook a mock response";
            return self.answer_first_call(call, json!({"error": error, "code": "webhook_not_mocked"}));
        }
        self.note_write(call, &request.method);
        let effect = self.effect_id();
        let request = ToolRequest { idempotency_key: effect.clone(), ..request };
        self.set_pending(Pending::Tool {
            effect: effect.clone(),
            call: call.clone(),
            request: request.clone(),
            secrets: secrets.clone(),
            since: Some(self.at),
        });
        self.effect(Effect::CallTool { id: effect, request, secrets });
    }
}

/// The request with everything filled in but secrets, and the marks of the secrets. `None` if it is
/// too large.
fn request(
    step: &mut StepBuilder<'_>,
    settings: &Webhook,
    arguments: &Map<String, Value>,
) -> Option<(ToolRequest, SecretMarks)> {
    let no_body = settings.method == HttpMethod::Get && step.state.facts.rules >= 1;
    with_secrets(step, settings.secret_names(), |context, room| filled(settings, context, arguments, no_body, room))
}

/// Builds a request with `fill`, with marks in place of secrets. `fill` also returns the variables
/// without a value. `None` if the request is too large.
pub(super) fn with_secrets(
    step: &mut StepBuilder<'_>,
    names: Vec<String>,
    fill: impl Fn(&Value, &mut Room) -> (ToolRequest, Vec<String>),
) -> Option<(ToolRequest, SecretMarks)> {
    if names.len() > REQUEST_SECRETS {
        return None;
    }
    let mut room = Room::new(REQUEST_BYTES);
    let mut context = variable_values::of(step.state, step.at);
    let mut secrets = SecretMarks::default();
    if !names.is_empty() {
        // No one can forge a mark: it does not occur in the request without secrets.
        let (without, _) = fill(&context, &mut room.clone());
        secrets = SecretMarks::new(names, &step.next_id("secret").replace('_', ""), &without);
        context["secrets"] = secrets.as_context();
    }
    let (request, unknown) = fill(&context, &mut room);
    for path in unknown.into_iter().take(limits::UNKNOWN) {
        step.event("warning", json!({"code": "unknown_variable", "path": path}));
    }
    (!room.is_exceeded()).then_some((request, secrets))
}

fn filled(
    settings: &Webhook,
    context: &Value,
    arguments: &Map<String, Value>,
    no_body: bool,
    room: &mut Room,
) -> (ToolRequest, Vec<String>) {
    let sources = Sources { context: Some(context), arguments: Some(arguments) };
    let mut unknown = Vec::new();
    let mut fill = |text: &str, destination| {
        let filled = variables::fill_within(text, sources, destination, room);
        unknown.extend(filled.unknown);
        filled.text
    };
    let mut url = fill(&settings.url, Destination::Url);
    let headers = settings
        .headers
        .iter()
        .map(|(name, value)| (fill(name, Destination::Header), fill(value, Destination::Header)))
        .collect();
    let body = match &settings.body_schema {
        Some(schema) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let fields = arguments.iter().filter(|(name, _)| known.is_some_and(|known| known.contains_key(*name)));
            let body: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
            room.take(json::bytes_of(&body));
            if no_body {
                url = with_query(&url, &body);
            }
            (!body.is_empty() && !no_body).then_some(Value::Object(body))
        }
        None => {
            let filled = variables::fill_value_within(&settings.body, sources, room);
            unknown.extend(filled.unknown);
            let value = match filled.value {
                // A body of too many values is sent as the text that it is.
                Value::String(text) => json::parse(text.as_bytes(), ANSWER_VALUES).unwrap_or(Value::String(text)),
                other => other,
            };
            let empty = value.is_null() || value == json!({}) || value == json!("");
            (!empty && !matches!(settings.method, HttpMethod::Get)).then_some(value)
        }
    };
    let method = settings.method.as_str().into();
    (ToolRequest { method, url, headers, body, idempotency_key: String::new(), mcp: None }, unknown)
}

/// The URL with the fields as parameters of its query; lists and objects as JSON.
fn with_query(url: &str, fields: &Map<String, Value>) -> String {
    let (before, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let mut out = before.to_owned();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = numbers::digits(&value).unwrap_or(&value);
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(&format!("{}={}", variables::percent_encoded(name), variables::percent_encoded(value)));
    }
    out + fragment
}

/// True if scheme, host and port are literal or from `vars` or `secrets` (docs/spec/engine.md 4.1).
/// The URL is filled twice, the second time with other values for everything that model and contact
/// influence.
fn origin_is_fixed(step: &StepBuilder<'_>, template: &str, arguments: &Map<String, Value>) -> bool {
    let context = variable_values::of(step.state, step.at);
    let others = json!({"vars": context["vars"]});
    let changed = arguments.iter().map(|(name, value)| (name.clone(), format!("x{value}").into())).collect();
    let filled = |context: &Value, arguments: &Map<String, Value>| {
        let sources = Sources { context: Some(context), arguments: Some(arguments) };
        variables::fill(template, sources, Destination::Url).text
    };
    origin(&filled(&context, arguments)) == origin(&filled(&others, &changed))
}

/// True if a value leaves a segment of the path empty, or makes it `.` or `..`: the request would
/// go to another resource of the server, such as the whole list in place of one order.
fn changes_path(step: &StepBuilder<'_>, settings: &Webhook, arguments: &Map<String, Value>) -> bool {
    let mut context = variable_values::of(step.state, step.at);
    // The values of secrets are not here, and are the operator's.
    context["secrets"] = settings.secret_names().into_iter().map(|name| (name, json!("x"))).collect();
    let sources = Sources { context: Some(&context), arguments: Some(arguments) };
    let filled = variables::fill(&settings.url, sources, Destination::Url).text;
    let literal = variables::replace_all(&settings.url, "x");
    // A value in the origin may bring a path of its own, so the segments are compared from the end.
    let segments = |url: &str| path(url).rsplit('/').map(str::to_owned).collect::<Vec<_>>();
    let odd = |segment: &String| matches!(segment.as_str(), "" | "." | "..");
    segments(&filled).iter().zip(&segments(&literal)).any(|(filled, literal)| odd(filled) && !odd(literal))
}

/// Path of a URL without query and fragment, with the slash before it.
fn path(url: &str) -> &str {
    let path = &url[origin(url).len()..];
    &path[..path.find(['?', '#']).unwrap_or(path.len())]
}

/// The URL before path, query and fragment.
pub(super) fn origin(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url[from..].find(['/', '?', '#']).map_or(url.len(), |at| from + at);
    &url[..end]
}
