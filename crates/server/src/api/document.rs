//! Builds the OpenAPI document from the handlers' descriptions, and adds what all operations share:
//! errors, keys, headers and closed answers.

use super::{facts::LONGEST_KEY, roles::is_for_projects, tags::TAGS};
use crate::error::ErrorBody;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{PartialSchema as _, ToSchema as _, openapi::OpenApi};

/// Errors of every operation: status and meaning of its codes.
const ALWAYS: [(&str, &str); 6] = [
    ("401", "`unauthorized`: missing or invalid key"),
    ("408", "`timeout`: the request took too long"),
    ("429", "`rate_limited`: too many requests with this key, or too many invalid keys from this address"),
    ("431", "`headers_too_large`: more than 64 headers, or more than 16 KiB"),
    ("500", "`internal`: a server error; include `request_id` in a report"),
    ("503", "`busy`, `cannot_store` (the disk is full): try again after `Retry-After` seconds"),
];
/// Errors of operations in a project.
const IN_PROJECT: [(&str, &str); 2] = [
    (
        "403",
        "`forbidden`: the role of the key or person is too low; `project_archived`: the project is archived; `cross_site`: \
         a request with a session from another site",
    ),
    ("404", "`not_found`: a person's project is absent, or the person is not its member"),
];
/// Errors of operations with a session.
const WITH_SESSION: [(&str, &str); 1] = [("403", "`cross_site`: the request comes from another site")];
/// Errors of operations with path parameters.
const WITH_PATH: [(&str, &str); 1] = [("404", "`not_found`: absent, in another project, or not a valid id")];
/// Errors of operations with a query.
const WITH_QUERY: [(&str, &str); 1] = [("422", "`validation_failed`: invalid values, listed in `details`")];
/// Query rules that no schema can express.
const IN_QUERY: &str = "A detail of a query: `nul`, a value contains U+0000";
/// Errors of operations that create a resource.
const WITH_POST: [(&str, &str); 1] = [(
    "422",
    "`validation_failed`: invalid values, listed in `details`; `idempotency_mismatch`: another request used this \
     `Idempotency-Key`",
)];
/// Errors of operations with a body.
const WITH_BODY: [(&str, &str); 4] = [
    ("400", "`malformed`: invalid JSON, or the wrapper is missing; `json_limits`: too deep, or too many keys or items"),
    ("413", "`too_large`: the body exceeds the limit of the route"),
    ("415", "`unsupported_media_type`: the content type is not application/json"),
    ("422", "`validation_failed`: invalid values, listed in `details`"),
];
/// Rate limit headers.
const RATE: [(&str, &str); 3] = [
    ("X-RateLimit-Limit", "Requests allowed per minute."),
    ("X-RateLimit-Remaining", "Requests left in this minute."),
    ("X-RateLimit-Reset", "Start of the next minute in Unix seconds."),
];
/// Headers of lists.
const PAGING: [(&str, &str, &str); 5] = [
    ("Total", "integer", "Total number of items."),
    ("Total-Pages", "integer", "Number of pages."),
    ("Per-Page", "integer", "Page size."),
    ("Page", "integer", "Page number."),
    ("Link", "string", "Links to the first, last, previous and next page."),
];

/// Markdown: keys, paging, errors, limits and repeats.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Requests and answers of real calls by operation id, recorded by a test.
const EXAMPLES: &str = include_str!("examples.json");

pub(crate) fn of(api: &OpenApi) -> Value {
    let schemes = json!({
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "Project key."},
        "CliToken": {"type": "apiKey", "in": "header", "name": "X-CLI-Token", "description": "User token from a sign-in."},
    });
    built(api, "Chasqui API", INTRODUCTION, &schemes, &json!([{"ApiKeyAuth": []}]))
}

/// Document of the dashboard's session routes.
pub(crate) fn of_app(api: &OpenApi) -> Value {
    let about = "Sign-in, sessions and one's own account. With the session's cookie and `X-Project-Id` the whole API is \
        open to a person, within the person's role. The cookie is called `chasqui` on plain http of another machine. \
        Writes come from a page of this server: `Sec-Fetch-Site: same-origin`, or its `Origin`, with a JSON body.";
    let cookie = json!({"type": "apiKey", "in": "cookie", "name": "__Host-chasqui", "description": "Session."});
    built(api, "Chasqui dashboard", about, &json!({"Session": cookie}), &json!([{"Session": []}]))
}

fn built(api: &OpenApi, title: &str, about: &str, schemes: &Value, security: &Value) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": security,
        "tags": tags(api),
        "paths": sorted(json!(api.paths)),
        "components": {"securitySchemes": schemes, "schemas": sorted(schemas(api))},
    });
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for (method, operation) in operations(&mut document["paths"]) {
        describe(method, operation);
        illustrate(operation, &examples);
    }
    describe_bodies(&mut document);
    close_answers(&mut document);
    document
}

/// Descriptions of the tags that the operations have, in the order of their names.
fn tags(api: &OpenApi) -> Vec<Value> {
    let mut used = BTreeSet::new();
    for (_, operation) in operations(&mut json!(api.paths)) {
        used.extend(operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    let described = TAGS.iter().filter(|(name, _)| used.contains(*name));
    described.map(|(name, about)| json!({"name": name, "description": about})).collect()
}

fn schemas(api: &OpenApi) -> Value {
    let mut schemas = json!(api.components.as_ref().map(|components| &components.schemas));
    if !schemas.is_object() {
        schemas = json!({});
    }
    let mut parts = Vec::new();
    ErrorBody::schemas(&mut parts);
    for (name, part) in parts {
        schemas[name] = json!(part);
    }
    schemas["Error"] = json!(ErrorBody::schema());
    schemas["Error"]["examples"] = json!([{
        "error": "Agent not found", "message": "Agent not found", "code": "not_found", "status": 404, "details": [],
        "request_id": "0197a1b2-c3d4-7000-8000-000000000001",
    }]);
    schemas["ValidationError"] = json!({
        "examples": [{
            "error": "Validation failed", "message": "can't be blank", "code": "validation_failed", "status": 422,
            "details": [{"path": "/agent/name", "code": "blank", "message": "can't be blank"}],
            "request_id": "0197a1b2-c3d4-7000-8000-000000000002", "errors": {"name": ["can't be blank"]},
        }],
        "description": "An error with the messages of each field.",
        "allOf": [{"$ref": "#/components/schemas/Error"}, {"type": "object", "required": ["errors"]}],
    });
    name_wrapped(&mut schemas);
    schemas
}

/// Makes `Data<Agent>`, `Warned<Agent>` and `Page<Agent>` refer to `Agent` instead of repeating it.
fn name_wrapped(schemas: &mut Value) {
    let names: Vec<String> = schemas.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    for name in &names {
        let (place, inner) = match name.split_once('_') {
            Some(("Data" | "Warned", inner)) => ("/properties/data", inner),
            Some(("Page", inner)) => ("/properties/data/items", inner),
            _ => continue,
        };
        let known = names.iter().any(|name| name == inner);
        if let Some(data) = schemas[name].pointer_mut(place).filter(|_| known) {
            *data = json!({"$ref": format!("#/components/schemas/{inner}")});
        }
    }
}

/// Sorts by name, because groups are merged in any order.
fn sorted(object: Value) -> Value {
    let Value::Object(fields) = object else { return object };
    let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Object(fields.into_iter().collect())
}

fn operations(paths: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let items = paths.as_object_mut().into_iter().flat_map(Map::values_mut);
    items.filter_map(Value::as_object_mut).flatten().filter(|(_, value)| value.is_object())
}

/// True for operations under /app: open ones set or read the session's cookie.
fn needs_session(operation: &Value) -> bool {
    operation["operationId"].as_str().is_some_and(|name| name.starts_with("app_"))
}

/// Adds the errors, headers and parameters of the operation's kind.
fn describe(method: &str, operation: &mut Value) {
    let mut parameters = operation["parameters"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let place = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    let mut errors = BTreeMap::from(ALWAYS);
    if is_for_projects(operation) {
        errors.extend(IN_PROJECT);
    } else if needs_session(operation) {
        errors.extend(WITH_SESSION);
    }
    if place("path") {
        errors.extend(WITH_PATH);
    }
    let has_query = place("query");
    if has_query {
        errors.extend(WITH_QUERY);
    }
    if operation["requestBody"].is_object() {
        errors.extend(WITH_BODY);
        let schema = &mut operation["requestBody"]["content"]["application/json"]["schema"];
        *schema = not_null(schema.take());
    }
    // Operations of signed-in users have their own security scheme and no idempotency.
    if method == "post" && is_for_projects(operation) {
        errors.extend(WITH_POST);
        parameters.push(idempotency_key());
    }
    let paged = parameters.iter().any(|parameter| parameter["name"] == "per_page");
    operation["parameters"] = parameters.into_iter().map(with_format).collect();
    let responses = &mut operation["responses"];
    for (status, meaning) in errors {
        let of_query = Some(IN_QUERY).filter(|_| has_query && status == "422");
        let own = responses[status]["description"].as_str();
        let descriptions: Vec<&str> = [Some(meaning), of_query, own].into_iter().flatten().collect();
        responses[status]["description"] = json!(descriptions.join(". "));
    }
    *responses = sorted(responses.take());
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        if status.starts_with('2') {
            response["headers"]["X-Request-Id"] = header("string", "The request's id.");
            for (name, about) in RATE {
                response["headers"][name] = header("integer", about);
            }
            for (name, kind, about) in PAGING.into_iter().filter(|_| paged) {
                response["headers"][name] = header(kind, about);
            }
        } else if response["content"].is_null() {
            let name = if status == "422" { "ValidationError" } else { "Error" };
            let link = format!("#/components/schemas/{name}");
            response["content"] = json!({"application/json": {"schema": {"$ref": link}}});
        }
        if status == "429" {
            for (name, about) in RATE {
                response["headers"][name] = header("integer", about);
            }
        }
        if matches!(status.as_str(), "429" | "503") {
            response["headers"]["Retry-After"] = header("integer", "Seconds to wait.");
        }
    }
}

/// Adds the recorded example of a real call.
fn illustrate(operation: &mut Value, examples: &Value) {
    let example = &examples[operation["operationId"].as_str().unwrap_or_default()];
    let shown = |content: &mut Value, example: &Value| {
        if let Some(content) = content.get_mut("application/json").filter(|_| !example.is_null()) {
            content["examples"] = json!({"call": {"summary": "A call", "value": example}});
        }
    };
    if let Some(content) = operation.pointer_mut("/requestBody/content") {
        shown(content, &example["request"]);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2') && response["content"].is_object() {
            shown(&mut response["content"], &example["answer"]);
        }
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Makes the request safe to repeat: for 24 hours the same request with the same key has no second \
            effect and gets the first answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    })
}

fn header(kind: &str, about: &str) -> Value {
    json!({"description": about, "schema": {"type": kind}})
}

/// Schema of a query parameter: an optional one is an `Option`, but text is never null.
pub(super) fn not_null(mut schema: Value) -> Value {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    match schema["oneOf"].as_array().map(Vec::as_slice) {
        Some([one, null]) if null["type"] == "null" => one.clone(),
        _ => schema,
    }
}

fn with_format(mut parameter: Value) -> Value {
    let name = parameter["name"].as_str().unwrap_or_default();
    if parameter["in"] == "query" {
        parameter["schema"] = not_null(parameter["schema"].take());
        parameter["allowEmptyValue"] = json!(true);
    } else if (name == "id" || name.ends_with("_id")) && parameter["in"] == "path" {
        parameter["schema"] = json!({"type": "string", "format": "uuid"});
    }
    parameter
}

/// A missing body counts as an empty object, which suffices if no key is required. An empty wrapper
/// counts as absent, even if all its fields are optional.
fn describe_bodies(document: &mut Value) {
    let mut bodies = BTreeSet::new();
    let schemas = document["components"]["schemas"].clone();
    let of =
        |link: &Value| link.as_str().and_then(|link| link.strip_prefix("#/components/schemas/")).map(str::to_owned);
    for (_, operation) in operations(&mut document["paths"]) {
        let Some(body) = operation.get_mut("requestBody") else { continue };
        if let Some(name) = of(&body["content"]["application/json"]["schema"]["$ref"]) {
            body["required"] = json!(schemas[&name]["required"].is_array());
            bodies.insert(name);
        }
    }
    let schemas = &mut document["components"]["schemas"];
    for body in bodies {
        let wrappers = schemas[&body]["required"].clone();
        for wrapper in wrappers.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let Some(inner) = of(&schemas[&body]["properties"][wrapper]["$ref"]) else { continue };
            if schemas[&inner]["type"] == "object" && schemas[&inner]["required"].is_null() {
                schemas[&inner]["minProperties"] = json!(1);
            }
        }
    }
}

/// Closes answers: objects allow no other fields and require each. A field may be missing if it is
/// optional and not nullable, or marked `x-optional`.
fn close_answers(document: &mut Value) {
    let (mut sent, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (_, operation) in operations(&mut document["paths"].clone()) {
        references(&operation["responses"], &mut sent);
        references(&operation["requestBody"], &mut taken);
    }
    let schemas = &mut document["components"]["schemas"];
    for names in [&mut sent, &mut taken] {
        let mut open: Vec<String> = names.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let mut more = BTreeSet::new();
            references(&schemas[&name], &mut more);
            open.extend(more.into_iter().filter(|name| names.insert(name.clone())));
        }
    }
    let parts = schemas.clone();
    for name in sent.difference(&taken) {
        join_parts(&mut schemas[name], &parts);
        close(&mut schemas[name]);
    }
}

/// Names of all schemas that a value refers to.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|link| link.rsplit('/').next());
            names.extend(name.map(str::to_owned));
            fields.values().for_each(|field| references(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}

/// `allOf` parts cannot be closed one by one: the whole gets the fields of all.
fn join_parts(schema: &mut Value, schemas: &Value) {
    let Some(parts) = schema.as_object_mut().and_then(|fields| fields.remove("allOf")) else { return };
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for part in parts.as_array().into_iter().flatten() {
        let mut part = match part["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
            Some(name) => schemas[name].clone(),
            None => part.clone(),
        };
        join_parts(&mut part, schemas);
        if let (Some(all), Value::Object(more)) = (whole["properties"].as_object_mut(), part["properties"].take()) {
            all.extend(more);
        }
        if let (Some(all), Value::Array(more)) = (whole["required"].as_array_mut(), part["required"].take()) {
            all.extend(more);
        }
        if let Some(others) = part.get("additionalProperties") {
            whole["additionalProperties"] = others.clone();
        }
    }
    if let (Value::Object(schema), Value::Object(whole)) = (schema, whole) {
        schema.extend(whole);
    }
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            // Open objects, such as graphs, keep unknown fields.
            if fields.contains_key("additionalProperties") {
                return;
            }
            let before = fields.get("required").cloned().unwrap_or_default();
            let Some(Value::Object(properties)) = fields.get_mut("properties") else { return };
            let always = |name: &str| before.as_array().is_some_and(|names| names.iter().any(|before| before == name));
            let mut required = Vec::new();
            for (name, property) in properties.iter_mut() {
                let optional = property.as_object_mut().and_then(|property| property.remove("x-optional")).is_some();
                if always(name) || (not_null(property.clone()) != *property && !optional) {
                    required.push(json!(name));
                }
            }
            fields.insert("required".into(), Value::Array(required));
            fields.insert("additionalProperties".into(), json!(false));
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
