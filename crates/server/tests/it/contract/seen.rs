//! Which fields of the contract's answers were seen with a value in real calls: a field that is always null is not built.
//!
//! `never_seen.txt` names those that were not. A line whose field is seen fails the test, and so does a field that is
//! neither seen nor listed, so the list only shrinks.

use super::{answers::CONTRACT, exceptions, operations::Operation, shape::Shape, tour};
use serde_json::Value;
use std::collections::BTreeSet;
use testkit::Heard;

#[tokio::test]
async fn fields_of_the_contract_s_answers_are_seen_in_real_calls() {
    let mut fields = Fields::default();
    for operation in CONTRACT.values() {
        for status in successes(operation) {
            if let Some(schema) = operation.answer(&status) {
                fields.look(operation, schema, None, &format!("{} {status}", operation.name));
            }
        }
    }
    for heard in Box::pin(tour::answers()).await {
        let status = heard.answer.status.to_string();
        let Some(operation) = called(&heard) else { continue };
        if let Some(schema) = operation.answer(&status).filter(|_| status.starts_with('2')) {
            fields.look(operation, schema, Some(&heard.answer.body), &format!("{} {status}", operation.name));
        }
    }
    fields.report();
}

fn successes(operation: &Operation) -> Vec<String> {
    operation.value["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2')).cloned().collect()
}

/// The operation that was called: of those whose paths fit, the one with most words in common.
fn called(heard: &Heard) -> Option<&'static Operation> {
    let path = heard.path.split('?').next().unwrap_or_default();
    let fits = |operation: &&Operation| heard.method == operation.method() && operation.words_of(path).is_some();
    CONTRACT.values().filter(fits).max_by_key(|operation| operation.words_of(path))
}

/// Whether `exceptions.txt` says that we have no such field, or no such answer.
fn is_left_out(place: &str) -> bool {
    let mut missing = exceptions().into_iter().filter_map(|(what, _)| what.strip_suffix(": missing"));
    missing.any(|what| match what.strip_prefix("* ") {
        Some(field) => place.split_once(' ').is_some_and(|(_, own)| own == field),
        None => place.starts_with(&format!("{what}/")),
    })
}

#[derive(Default)]
struct Fields {
    all: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Fields {
    /// Notes the fields of a schema, and of a value the fields that are not null.
    fn look(&mut self, operation: &Operation, schema: &Value, value: Option<&Value>, place: &str) {
        self.look_into(operation, schema, value, place, &mut Vec::new());
    }

    fn look_into(
        &mut self,
        operation: &Operation,
        schema: &Value,
        value: Option<&Value>,
        place: &str,
        inside: &mut Vec<String>,
    ) {
        // A schema that holds itself is looked into once.
        let name = schema["$ref"].as_str().map(str::to_owned);
        if name.as_ref().is_some_and(|name| inside.contains(name)) {
            return;
        }
        inside.extend(name.clone());
        let shape = Shape::of(&operation.document, schema).merged(&operation.document);
        for (name, property) in &shape.properties {
            let place = format!("{place}/{name}");
            let found = value.and_then(|value| value.get(name)).filter(|found| !found.is_null());
            if is_left_out(&place) {
                continue;
            }
            self.seen.extend(found.map(|_| place.clone()));
            self.all.insert(place.clone());
            self.look_into(operation, property, found, &place, inside);
        }
        if let Some(items) = &shape.items {
            self.look_into(operation, items, None, &format!("{place}[]"), inside);
            for item in value.and_then(Value::as_array).into_iter().flatten() {
                self.look_into(operation, items, Some(item), &format!("{place}[]"), inside);
            }
        }
        if name.is_some() {
            inside.pop();
        }
    }

    fn report(&self) {
        let never: BTreeSet<&str> = self.all.difference(&self.seen).map(String::as_str).collect();
        let is_comment = |line: &&str| line.starts_with('#') || line.is_empty();
        let list = include_str!("never_seen.txt");
        let listed: BTreeSet<&str> = list.lines().filter(|line| !is_comment(line)).collect();
        eprintln!("response fields seen non-null in real calls: {} of {}", self.seen.len(), self.all.len());
        for field in &never {
            eprintln!("  never seen: {field}");
        }
        let seen: Vec<&&str> = listed.difference(&never).collect();
        let new: Vec<&&str> = never.difference(&listed).collect();
        if !seen.is_empty() {
            let still: Vec<&str> = list.lines().filter(|line| is_comment(line) || never.contains(line)).collect();
            let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("never_seen.txt");
            std::fs::write(&file, still.join("\n") + "\n").unwrap();
            panic!("seen, so take them out of never_seen.txt ({} holds the rest):\n{seen:#?}", file.display());
        }
        assert!(
            new.is_empty(),
            "never seen with a value; call something in contract/tour.rs that gives one:\n{new:#?}"
        );
    }
}
