//! Checks that every field of the contract's answers has a value in some real call: a field that is
//! always null is not implemented.
//!
//! `never_seen.txt` lists the fields without a value, grouped by reason. A listed field that gets a
//! value fails the test, and so does an unlisted one without a value, so the list only shrinks.

use super::{answers::CONTRACT, calls, exceptions, operations::Operation, shape::Shape};
use serde_json::Value;
use std::collections::BTreeSet;
use testkit::RecordedCall;

#[tokio::test]
async fn every_contract_field_has_a_value_in_some_real_response() {
    let mut fields = Fields::default();
    for operation in CONTRACT.values() {
        for status in successes(operation) {
            if let Some(schema) = operation.answer(&status) {
                fields.record(operation, schema, None, &format!("{} {status}", operation.name));
            }
        }
    }
    for call in Box::pin(calls::answers()).await {
        let status = call.answer.status.to_string();
        let Some(operation) = called(&call) else { continue };
        if let Some(schema) = operation.answer(&status).filter(|_| status.starts_with('2')) {
            fields.record(operation, schema, Some(&call.answer.body), &format!("{} {status}", operation.name));
        }
    }
    fields.report();
}

fn successes(operation: &Operation) -> Vec<String> {
    operation.value["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2')).cloned().collect()
}

/// The contract operation that was called: the matching path with the most literal segments.
fn called(call: &RecordedCall) -> Option<&'static Operation> {
    let path = call.path.split('?').next().unwrap_or_default();
    let fits = |operation: &&Operation| call.method == operation.method() && operation.words_of(path).is_some();
    CONTRACT.values().filter(fits).max_by_key(|operation| operation.words_of(path))
}

/// True if `exceptions.txt` excludes this field or answer.
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
    /// Records the fields of a schema, and those of a value that are not null.
    fn record(&mut self, operation: &Operation, schema: &Value, value: Option<&Value>, place: &str) {
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
        // Recursive schemas are visited once.
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
        let list = Unseen::read(include_str!("never_seen.txt"));
        let [cannot, not_built] = [Why::Cannot, Why::NotBuilt].map(|why| list.fields(why));
        eprintln!(
            "response fields seen non-null in real calls: {} of {}; {} cannot be shown, for {} reasons; {} are not built",
            self.seen.len(),
            self.all.len(),
            cannot.len(),
            list.reasons(Why::Cannot),
            not_built.len(),
        );
        for (why, reason, fields) in &list.groups {
            eprintln!("  {}: {reason}", why.words());
            fields.iter().for_each(|field| eprintln!("    {field}"));
        }
        let listed: BTreeSet<&str> = cannot.union(&not_built).copied().collect();
        let seen: Vec<&&str> = listed.difference(&never).collect();
        assert!(seen.is_empty(), "seen, so take them out of never_seen.txt:\n{seen:#?}");
        let new: Vec<&&str> = never.difference(&listed).collect();
        assert!(
            new.is_empty(),
            "never seen with a value; call something in contract/calls.rs that gives one:\n{new:#?}"
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Excluded by the contract itself.
    Cannot,
    NotBuilt,
}

impl Why {
    const fn words(self) -> &'static str {
        match self {
            Self::Cannot => "cannot be shown",
            Self::NotBuilt => "not built",
        }
    }
}

struct Unseen<'a> {
    groups: Vec<(Why, &'a str, Vec<&'a str>)>,
}

impl<'a> Unseen<'a> {
    /// A group starts with `# cannot be shown: ` or `# not built: ` and its reason.
    fn read(text: &'a str) -> Self {
        let mut groups: Vec<(Why, &str, Vec<&str>)> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let begins = [Why::Cannot, Why::NotBuilt].into_iter().find_map(|why| {
                let reason = line.strip_prefix("# ")?.strip_prefix(why.words())?.strip_prefix(": ")?;
                Some((why, reason, Vec::new()))
            });
            match (begins, groups.last_mut()) {
                (Some(group), _) => groups.push(group),
                (None, _) if line.starts_with('#') => {}
                (None, Some((_, _, fields))) => fields.push(line),
                (None, None) => panic!("a field without a reason: {line}"),
            }
        }
        Self { groups }
    }

    fn of(&self, why: Why) -> impl Iterator<Item = &(Why, &'a str, Vec<&'a str>)> {
        self.groups.iter().filter(move |(own, ..)| *own == why)
    }

    fn fields(&self, why: Why) -> BTreeSet<&'a str> {
        self.of(why).flat_map(|(_, _, fields)| fields.iter().copied()).collect()
    }

    fn reasons(&self, why: Why) -> usize {
        self.of(why).count()
    }
}

#[test]
#[should_panic(expected = "a field without a reason")]
fn unseen_field_without_a_reason_fails() {
    Unseen::read("# A comment.\n\nget_agent 200/data/name\n");
}
