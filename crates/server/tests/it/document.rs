//! The OpenAPI document: committed, served, and whole.

use serde_json::Value;
use std::path::Path;
use testkit::TestApp;

#[test]
fn the_committed_document_is_what_the_handlers_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/v1.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
    let same = committed == server::openapi();
    assert!(
        same,
        "openapi/v1.json is old; `cargo xtask openapi` writes it anew, and the difference belongs to the change"
    );
}

#[tokio::test]
async fn the_document_is_served_without_a_key() {
    let app = TestApp::start().await;
    let answer = app.call_as(None, reqwest::Method::GET, "/openapi.json", None).await;
    assert_eq!((answer.status, answer.body), (200, server::openapi()));
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag_and_every_reference_leads_somewhere() {
    let document = server::openapi();
    let mut names = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{name}");
            names.push(name);
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "an operation's name is used twice");
    check_references(&document, &document);
}

fn check_references(value: &Value, document: &Value) {
    if let Some(link) = value["$ref"].as_str() {
        assert!(document.pointer(link.trim_start_matches('#')).is_some(), "{link} leads nowhere");
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| check_references(field, document)),
        Value::Array(items) => items.iter().for_each(|item| check_references(item, document)),
        _ => {}
    }
}
