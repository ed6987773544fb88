//! Checks real answers against the published contract instead of our own document.

use super::operations::{self, Operation};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};
use testkit::Answer;

pub static CONTRACT: LazyLock<BTreeMap<String, Operation>> =
    LazyLock::new(|| operations::contract().into_iter().map(|operation| (operation.place(), operation)).collect());

/// Contract operation for a method and a path template.
fn at(method: &str, path: &str) -> Option<&'static Operation> {
    CONTRACT.get(&format!("{} {path}", method.to_lowercase()))
}

/// Fails if the contract does not describe this 2xx answer. Operations that are not in the contract
/// pass.
pub fn keeps(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = at(method, path) else { return };
    let (name, status) = (&operation.name, answer.status.to_string());
    assert!(operation.value["responses"].get(&status).is_some(), "{name}: {status} is not in the contract");
    let Some(schema) = operation.answer(&status) else {
        return assert_eq!(answer.body, Value::Null, "{name} {status}");
    };
    let validator = validator(operation.document.clone(), schema);
    let problems: Vec<String> =
        validator.iter_errors(&answer.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{name} {status} breaks the contract: {problems:#?} in {}", answer.body);
}

fn validator(document: Arc<Value>, schema: &Value) -> jsonschema::Validator {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::options().offline().should_validate_formats(true).build(&whole).unwrap()
}

#[test]
#[should_panic(expected = "breaks the contract")]
fn answer_that_violates_the_contract_fails() {
    let body = json!({"data": {"id": "x", "phone_number": "+1", "status": "asleep", "last_active_at": "2025-06-03T14:20:05Z"}});
    let answer = Answer { status: 200, body, headers: BTreeMap::new() };
    keeps("GET", "/api/v1/whatsapp_conversations/{conversation_id}", &answer);
}
