//! Every operation as every role: keys and people with too low a role get 403, others do not.

use super::{
    operation::{Operation, all_operations, operations},
    world::World,
};
use crate::people::support::{Browser, person};
use domain::role::Role;
use server::roles;
use std::collections::BTreeSet;
use testkit::Answer;

fn is_refused(answer: &Answer) -> bool {
    (answer.status, answer.body["code"].as_str()) == (403, Some("forbidden"))
}

#[test]
fn every_operation_has_one_row_in_the_table_of_roles() {
    let listed: Vec<_> = roles::all().map(|(name, _)| name.to_owned()).collect();
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "an operation has two rows");
    let present: BTreeSet<_> = operations().into_iter().map(|operation| operation.name).collect();
    let without: Vec<_> = present.difference(&unique).collect();
    assert!(without.is_empty(), "no row in api/roles.rs: {without:?}");
    let absent: Vec<_> = unique.difference(&present).collect();
    assert!(absent.is_empty(), "no such operation: {absent:?}");
    assert!(all_operations().len() > present.len());
}

#[tokio::test]
async fn every_operation_is_refused_to_each_role_below_its_own() {
    let world = World::new().await;
    let app = &world.app;
    let operator = app.app.operator();
    let mut keys = Vec::new();
    let mut people = Vec::new();
    for role in Role::ALL {
        let project = app.project.to_string();
        keys.push((*role, operator.create_key_with(&project, "walk", Some(*role), None).await.unwrap().1));
        let email = format!("{role}@example.test");
        person(app, &email, Some(*role)).await;
        people.push((*role, Browser::signed_in(app, &email).await));
    }
    let mut all = operations();
    all.sort_by_key(Operation::turn);
    let (mut refused, mut allowed) = (0, 0);
    for operation in all {
        let least = roles::all().find(|(name, _)| *name == operation.name).unwrap().1;
        let (path, body) = (world.path(&operation), world.body(&operation));
        // What succeeds changes what the next call finds; only a refusal is looked for.
        for ((role, key), (_, browser)) in keys.iter().zip(&people) {
            let by_key = operation.call_as(app, Some(key.as_str()), &path, body.clone()).await;
            let by_person = operation.checked(browser.call(&operation.method, &path, body.clone()).await);
            for answer in [&by_key, &by_person] {
                let expected = !role.includes(least);
                assert_eq!(is_refused(answer), expected, "{} as {role}: {}", operation.name, answer.body);
                assert_ne!(answer.status, 401, "{} as {role}", operation.name);
                if expected { refused += 1 } else { allowed += 1 }
            }
        }
    }
    eprintln!("roles: {refused} calls refused, {allowed} allowed");
    assert!(refused > 200 && allowed > 200);
}

#[tokio::test]
async fn session_without_membership_finds_no_project() {
    let world = World::new().await;
    person(&world.app, "stranger@example.test", None).await;
    let browser = Browser::signed_in(&world.app, "stranger@example.test").await;
    for operation in operations() {
        let (path, body) = (world.path(&operation), world.body(&operation));
        let answer = operation.checked(browser.call(&operation.method, &path, body).await);
        let got = (answer.status, answer.body["error"].as_str());
        assert_eq!(got, (404, Some("Project not found")), "{}: {}", operation.name, answer.body);
    }
    assert_eq!(world.audit_count().await, world.writes_before, "nothing was written");
}
