//! Compares our OpenAPI document with the contract in `openapi/contract/`: operations, parameters,
//! bodies and answers.
//!
//! Two lists in this folder hold the differences. `exceptions.txt` names intended differences with
//! reasons. `field_coverage.rs` describes `never_seen.txt`.

mod answers;
mod calls;
mod compare;
mod field_coverage;
mod operations;
mod shape;

pub use answers::keeps;
use compare::Findings;
use operations::Operation;
use std::collections::{BTreeMap, BTreeSet};

/// Operations of the contract.
const OPERATIONS: usize = 93;
const MOST_EXCEPTIONS: usize = 15;

#[test]
fn document_keeps_the_contract() {
    let contract = operations::contract();
    assert_eq!(contract.len(), OPERATIONS);
    let ours: BTreeMap<String, Operation> =
        operations::ours().into_iter().map(|operation| (operation.place(), operation)).collect();
    let (mut problems, mut met, mut fields) = (BTreeSet::new(), 0, 0);
    for theirs in &contract {
        let Some(ours) = ours.get(&theirs.place()) else {
            problems.insert(theirs.name.clone());
            continue;
        };
        met += 1;
        let mut findings = Findings::default();
        compare::operation(ours, theirs, &mut findings);
        fields += findings.compared;
        problems.extend(findings.differences.into_iter().map(|finding| format!("{} {finding}", theirs.name)));
    }
    let exceptions = exceptions();
    assert!(exceptions.len() <= MOST_EXCEPTIONS, "{} exceptions", exceptions.len());
    for (exception, _) in &exceptions {
        assert!(problems.iter().any(|problem| matches(exception, problem)), "no longer an exception: {exception}");
    }
    problems.retain(|problem| !exceptions.iter().any(|(exception, _)| matches(exception, problem)));
    let differing = problems.iter().filter(|problem| problem.contains(' ')).count();
    eprintln!(
        "operations {met} of {OPERATIONS}, fields {} of {fields}, {} exceptions",
        fields - differing,
        exceptions.len()
    );
    assert!(problems.is_empty(), "{} differences from the contract:\n{problems:#?}", problems.len());
}

fn listed(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// Intended differences, each with its reason.
fn exceptions() -> Vec<(&'static str, &'static str)> {
    let reasoned = |line: &'static str| line.split_once(" -- ");
    listed(include_str!("exceptions.txt"))
        .map(|line| reasoned(line).unwrap_or_else(|| panic!("an exception without a reason: {line}")))
        .collect()
}

/// A leading `*` matches every operation.
fn matches(exception: &str, problem: &str) -> bool {
    match exception.strip_prefix('*') {
        Some(rest) => problem.ends_with(rest),
        None => exception == problem,
    }
}
