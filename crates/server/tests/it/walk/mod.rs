//! Rules that hold for every operation, checked with real calls to each operation of the document.
//! Each answer is also checked against the document.
//!
//! A new operation is covered automatically; `world.rs` creates what must exist before a call.

mod examples;
pub mod operation;
mod roles;
pub mod world;

use domain::Span;
use operation::{Operation, ParameterLocation, operations};
use serde_json::{Value, json};
use testkit::{Answer, TestApp};
use world::World;

const ABSENT: &str = "0197a1b2-0000-7000-8000-000000000001";
const MALFORMED: [&str; 3] = ["not-an-id", "%00", "0197a1b2000070008000000000000001"];

fn assert_error_shape(operation: &Operation, answer: &Answer, status: u16, code: &str) {
    let (name, body) = (&operation.name, &answer.body);
    assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{name}: {body}");
    assert_eq!(body["request_id"].as_str(), Some(answer.headers["x-request-id"].as_str()), "{name}");
}

#[tokio::test]
async fn every_operation_refuses_missing_and_wrong_keys() {
    let world = World::new().await;
    let last = if world.app.key.ends_with('x') { "y" } else { "x" };
    let wrong = format!("{}{last}", &world.app.key[..world.app.key.len() - 1]);
    let unknown = "chq_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for operation in operations() {
        let path = world.path(&operation);
        for key in [None, Some("nonsense"), Some(unknown), Some(wrong.as_str())] {
            let answer = operation.call_as(&world.app, key, &path, world.body(&operation)).await;
            assert_error_shape(&operation, &answer, 401, "unauthorized");
            assert_eq!(answer.body["error"], "Invalid or missing API key");
        }
    }
}

#[tokio::test]
async fn absent_malformed_and_foreign_ids_get_the_same_404() {
    let world = World::new().await;
    let same_answer = |answer: &Answer| (answer.body["error"].clone(), answer.body["message"].clone());
    for operation in operations() {
        for parameter in operation.path_ids() {
            let absent = world.path_with(&operation, &parameter, ABSENT);
            let absent = operation.call(&world.app, &absent, world.body(&operation)).await;
            assert_error_shape(&operation, &absent, 404, "not_found");
            for malformed in MALFORMED {
                let path = world.path_with(&operation, &parameter, malformed);
                let answer = operation.call(&world.app, &path, world.body(&operation)).await;
                assert_error_shape(&operation, &answer, 404, "not_found");
                assert_eq!(same_answer(&answer), same_answer(&absent), "{} {parameter}={malformed}", operation.name);
            }
            let path = world.path(&operation);
            let foreign = operation.call_as(&world.app, Some(&world.foreign_key), &path, world.body(&operation)).await;
            assert_error_shape(&operation, &foreign, 404, "not_found");
            assert_eq!(same_answer(&foreign), same_answer(&absent), "{}", operation.name);
        }
    }
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
}

/// Answers may show keys, tokens and what customers wrote.
#[tokio::test]
async fn no_browser_keeps_an_answer_or_guesses_its_type() {
    let world = World::new().await;
    let protected = |answer: &Answer, name: &str| {
        let of = |header: &str| answer.headers.get(header).map(String::as_str).unwrap_or_default();
        assert_eq!((of("x-content-type-options"), of("cache-control")), ("nosniff", "no-store"), "{name}");
    };
    for operation in operations() {
        let answer = operation.call(&world.app, &world.path(&operation), world.body(&operation)).await;
        protected(&answer, &operation.name);
        protected(&operation.call_as(&world.app, None, &world.path(&operation), None).await, &operation.name);
    }
    for (name, answer) in examples::sign_in_answers(&world.app).await {
        assert!(matches!(answer.status, 200 | 201), "{name}: {}", answer.body);
        protected(&answer, name);
    }
    let health = world.app.call_as(None, reqwest::Method::GET, "/health/live", None).await;
    assert_eq!(health.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn body_without_wrapper_is_malformed() {
    let world = World::new().await;
    let mut tried = 0;
    for operation in operations() {
        let Some(wrapper) = operation.wrapper() else { continue };
        let path = world.path(&operation);
        let required = format!("Parameter {wrapper} is required");
        let inner = world.body(&operation).map(|body| body[&wrapper].clone());
        for body in
            [json!({}), json!({"x": inner}), json!({&wrapper: null}), json!({&wrapper: "x"}), json!({&wrapper: [1]})]
        {
            let answer = operation.call(&world.app, &path, Some(body)).await;
            assert_error_shape(&operation, &answer, 400, "malformed");
            assert_eq!(answer.body["message"], *required);
        }
        assert_error_shape(&operation, &operation.call(&world.app, &path, Some(json!([]))).await, 400, "malformed");
        tried += 1;
    }
    assert!(tried >= 3);
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
}

#[tokio::test]
async fn body_of_wrong_type_depth_or_size_is_refused() {
    let world = World::new().await;
    let deep = format!("{{\"x\": {}0{}}}", "[".repeat(32), "]".repeat(32));
    let large = format!("{{\"x\": \"{}\"}}", "y".repeat(12 * 1024 * 1024));
    let json = ("content-type", "application/json");
    for operation in operations().iter().filter(|operation| operation.takes_a_body()) {
        let tries = [
            (("content-type", "text/plain"), "{}", 415, "unsupported_media_type"),
            (json, "{\"a\": 1, \"a\": 1}", 400, "malformed"),
            (json, deep.as_str(), 400, "json_limits"),
            (json, large.as_str(), 413, "too_large"),
        ];
        for (header, text, status, code) in tries {
            let answer = operation.call_raw(&world.app, &world.path(operation), header, text).await;
            assert_error_shape(operation, &answer, status, code);
        }
    }
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
}

/// The key is ours; the other project has one row of each resource.
#[tokio::test]
async fn another_projects_ids_are_answered_like_absent_ids_everywhere() {
    let world = World::with_full_stranger().await;
    let foreign = world.foreign.as_ref().unwrap();
    let same_answer = |answer: &Answer| {
        let mut body = answer.body.clone();
        body["request_id"] = Value::Null;
        (answer.status, body)
    };
    let mut tried = [0; 3];
    for operation in operations() {
        for parameter in operation.path_ids() {
            let theirs = foreign.in_path(&operation.path, &parameter).unwrap();
            let [absent, theirs] = [ABSENT, theirs].map(|id| world.path_with(&operation, &parameter, id));
            let absent = operation.call(&world.app, &absent, world.body(&operation)).await;
            let theirs = operation.call(&world.app, &theirs, world.body(&operation)).await;
            assert_error_shape(&operation, &absent, 404, "not_found");
            assert_eq!(same_answer(&theirs), same_answer(&absent), "{} {parameter}", operation.name);
            tried[0] += 1;
        }
        for (location, field) in operation.ids_taken() {
            let needs = || panic!("walk/world.rs needs something for {field} of {}", operation.name);
            let theirs = foreign.in_body(&field).unwrap_or_else(needs);
            let (path, body) = (world.path(&operation), world.body(&operation));
            let answers = async |id: &str| match location {
                ParameterLocation::Query => {
                    operation.call(&world.app, &format!("{path}?{field}={id}"), body.clone()).await
                }
                ParameterLocation::Body => {
                    operation.call(&world.app, &path, operation.body_with(body.clone(), &field, id)).await
                }
            };
            let (absent, theirs) = (answers(ABSENT).await, answers(theirs).await);
            assert_eq!(same_answer(&theirs), same_answer(&absent), "{} {field}", operation.name);
            match location {
                // Pages by a cursor are lists as well.
                ParameterLocation::Query if operation.is_list() || absent.status == 200 => {
                    assert_eq!(absent.data(), &json!([]), "{} {field}", operation.name);
                }
                // Operations other than lists may answer 404 or 422.
                _ => {
                    assert!(matches!(absent.status, 404 | 422), "{} {field}: {}", operation.name, absent.body)
                }
            }
            tried[if location == ParameterLocation::Query { 1 } else { 2 }] += 1;
        }
    }
    eprintln!("another project's ids: {} in paths, {} in queries, {} in bodies", tried[0], tried[1], tried[2]);
    assert!(tried.iter().all(|count| *count > 0), "{tried:?}");
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
    assert_eq!(world.foreign_audit_count().await, world.foreign_writes_before, "not in the other project either");
}

#[tokio::test]
async fn invalid_body_values_are_reported_by_path() {
    let world = World::new().await;
    let mut tried = 0;
    for operation in operations() {
        let Some(sample) = world.body(&operation) else { continue };
        for (location, wrong) in operation.wrong_bodies(&sample) {
            let answer = operation.call(&world.app, &world.path(&operation), Some(wrong)).await;
            assert_error_shape(&operation, &answer, 422, "validation_failed");
            let named = answer.body["details"].as_array().unwrap().iter().any(|detail| {
                let path = detail["path"].as_str().unwrap();
                path == location || path.starts_with(&format!("{location}/"))
            });
            assert!(named, "{} {location}: {}", operation.name, answer.body);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
}

#[tokio::test]
async fn invalid_query_parameters_are_reported_by_name() {
    let world = World::new().await;
    let mut tried = 0;
    for operation in operations() {
        for (name, text) in operation.wrong_parameters() {
            let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair(&name, &text).finish();
            let path = format!("{}?{query}", world.path(&operation));
            let answer = operation.call(&world.app, &path, world.body(&operation)).await;
            assert_error_shape(&operation, &answer, 422, "validation_failed");
            assert_eq!(answer.body["details"][0]["path"], format!("/{name}"), "{}", operation.name);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

/// Fields with a secret, which a repeated request does not get again.
const SHOWN_ONCE: [(&str, &str); 3] =
    [("create_api_key", "key"), ("create_invitation", "url"), ("rotate_api_key", "key")];

/// Lists with at most one row here: a conversation has one execution at a time.
const SINGLE_ROW_LISTS: [&str; 1] = ["list_whatsapp_conversation_agent_executions"];

/// Lists are sorted newest first by the contract's field, except events and an agent's suites
/// (default suite first).
fn assert_sorted(operation: &Operation, resources: &[Value]) {
    let (field, newest_first) = match operation.name.as_str() {
        "list_whatsapp_conversations" => ("last_active_at", true),
        "list_agent_test_suites" => ("created_at", false),
        "list_agent_execution_events" => ("seq", false),
        _ => ("created_at", true),
    };
    let mut keys: Vec<String> = Vec::new();
    for thing in resources {
        let key = &thing[field];
        assert!(!key.is_null(), "{}: no {field} in {thing}", operation.name);
        // Numbers of equal length sort like texts.
        keys.push(key.as_i64().map_or_else(|| key.to_string(), |number| format!("{number:09}")));
    }
    if newest_first {
        keys.reverse();
    }
    assert!(keys.is_sorted(), "{}: not in order: {keys:?}", operation.name);
    let different = keys.first() != keys.last();
    assert!(different || SINGLE_ROW_LISTS.contains(&operation.name.as_str()), "{}: all of one time", operation.name);
}

#[tokio::test]
async fn every_list_pages_in_order_with_matching_headers() {
    let world = World::new().await;
    // A second row of each resource, created later.
    world.app.clock.forward(Span::from_secs(1));
    for operation in operations().iter().filter(|operation| operation.method == "POST") {
        operation.call(&world.app, &world.path(operation), world.body(operation)).await.data();
    }
    world.app.clock.forward(Span::from_secs(1));
    world.another_conversation().await;
    for operation in operations().iter().filter(|operation| operation.is_list()) {
        let path = world.path(operation);
        let whole = operation.call(&world.app, &format!("{path}?per_page=100"), None).await;
        let resources = whole.data().as_array().unwrap().clone();
        let total = whole.body["meta"]["total_count"].as_i64().unwrap();
        assert!(!resources.is_empty(), "{}: world.rs must make one", operation.name);
        assert_eq!(resources.len(), usize::try_from(total).unwrap(), "{}", operation.name);
        assert_sorted(operation, &resources);
        for page in 1..=total + 1 {
            let answer = operation.call(&world.app, &format!("{path}?per_page=1&page={page}"), None).await;
            let meta = &answer.body["meta"];
            assert_eq!(meta, &json!({"page": page, "per_page": 1, "total_pages": total, "total_count": total}));
            let names =
                [("total", "total_count"), ("total-pages", "total_pages"), ("per-page", "per_page"), ("page", "page")];
            for (header, field) in names {
                assert_eq!(answer.headers[header], meta[field].to_string(), "{} {header}", operation.name);
            }
            assert_eq!(linked(&answer, "next").is_some(), page < total, "{}", operation.name);
            let expected = usize::try_from(page).unwrap() - 1;
            assert_eq!(
                answer.data(),
                &json!(resources.get(expected..=expected).unwrap_or_default()),
                "{}",
                operation.name
            );
        }
        assert_eq!(
            followed(&world.app, &whole, "first").await,
            resources[..resources.len().min(100)],
            "{}",
            operation.name
        );
        let mut page = operation.call(&world.app, &format!("{path}?per_page=1"), None).await;
        let mut found = page.data().as_array().unwrap().clone();
        while let Some(next) = linked(&page, "next") {
            page = world.app.get(&next).await;
            found.extend(page.data().as_array().unwrap().clone());
        }
        assert_eq!(found, resources, "{} by its links", operation.name);
        let unpaged = operation.call(&world.app, &path, None).await;
        assert!(!followed(&world.app, &unpaged, "last").await.is_empty(), "{}", operation.name);
    }
}

/// Ids on the page that a list's `Link` header names.
async fn followed(app: &TestApp, list: &Answer, rel: &str) -> Vec<Value> {
    app.get(&linked(list, rel).unwrap()).await.data().as_array().unwrap().clone()
}

fn linked(list: &Answer, rel: &str) -> Option<String> {
    let links = list.headers["link"].split(", <").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
    Some(links.trim_start_matches('<').split_once('>')?.0.to_owned())
}

#[tokio::test]
async fn every_operation_matches_its_document_and_writes_are_audited_and_idempotent() {
    let world = World::new().await;
    let mut all = operations();
    all.sort_by_key(Operation::turn);
    for operation in all {
        let (path, body) = (world.path(&operation), world.body(&operation));
        let before = world.audit_count().await;
        let first = operation.call_with_key(&world.app, &path, body.clone()).await;
        assert!(first.status < 300, "{}: {}", operation.name, first.body);
        let writes = i64::from(operation.method != "GET");
        assert_eq!(world.audit_count().await - before, writes, "{}: rows in the audit", operation.name);
        if operation.method == "POST" {
            let again = operation.call_with_key(&world.app, &path, body).await;
            assert!(again.headers.contains_key("idempotency-replayed"), "{}: done twice", operation.name);
            let mut expected = first.body;
            // Secrets are shown once and not stored.
            if let Some((_, secret)) = SHOWN_ONCE.iter().find(|(name, _)| *name == operation.name) {
                assert!(expected["data"][secret].as_str().is_some_and(|secret| secret.len() > 40));
                expected["data"][secret] = Value::Null;
            }
            assert_eq!((again.status, again.body), (first.status, expected), "{}", operation.name);
            assert_eq!(world.audit_count().await - before, writes, "{}: done twice", operation.name);
        }
    }
}

/// Replacement values; the first that the schema refuses is used.
fn wrong_values() -> [Value; 6] {
    [json!(5.5), json!("§"), json!(true), json!([[]]), json!({"§": 1}), Value::Null]
}
