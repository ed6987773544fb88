//! Every session route answers as its document says.

use super::support::{Browser, PASSWORD, person, send};
use crate::walk::operation::{Operation, app_operations};
use domain::role::Role;
use serde_json::{Value, json};
use testkit::TestApp;

const ABSENT: &str = "0197a1b2-0000-7000-8000-000000000001";

fn body(operation: &Operation) -> Option<Value> {
    Some(match operation.name.as_str() {
        "app_accept_invitation" => json!({"name": "Ana", "password": "long enough 1"}),
        "app_approve_login" => json!({"project_ids": [ABSENT]}),
        "app_change_password" => json!({"old_password": "wrong one", "new_password": "long enough 1"}),
        "app_create_project" => json!({"project": {"name": "New"}}),
        "app_set_up" => json!({"token": "x", "name": "Ana", "email": "a@example.test", "password": "long enough 1"}),
        "app_sign_in" => json!({"email": "ana@example.test", "password": PASSWORD}),
        "app_update_me" => json!({"name": "Ana"}),
        name => {
            assert!(!operation.takes_a_body(), "a body for {name}");
            return None;
        }
    })
}

fn path(operation: &Operation) -> String {
    operation
        .path_parameters()
        .iter()
        .fold(operation.path.clone(), |path, name| path.replace(&format!("{{{name}}}"), ABSENT))
}

/// Operations that need no session.
const OPEN: [&str; 5] = ["app_accept_invitation", "app_invitation", "app_set_up", "app_sign_in", "app_state"];

#[tokio::test]
async fn session_routes_match_their_document() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let mut all = app_operations();
    assert!(all.len() >= 14, "{}", all.len());
    all.sort_by_key(|operation| operation.name == "app_sign_out");
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    for operation in all {
        let (path, body) = (path(&operation), body(&operation));
        let stranger = operation.checked(Browser::new(&app).call(&operation.method, &path, body.clone()).await);
        let is_open = OPEN.contains(&operation.name.as_str());
        assert_eq!(stranger.body["code"] == "unauthorized", !is_open, "{}: {}", operation.name, stranger.body);
        let mark = [("sec-fetch-site", "cross-site")];
        let other = operation.checked(ana.call_with(&operation.method, &path, body.clone(), &mark).await);
        let is_refused = (other.status, other.body["code"].as_str()) == (403, Some("cross_site"));
        let is_open_read = is_open && operation.method == "GET";
        assert_eq!(is_refused, !is_open_read, "{}: {}", operation.name, other.body);
        let own = operation.checked(ana.call(&operation.method, &path, body.clone()).await);
        assert_ne!(own.body["code"], "unauthorized", "{}", operation.name);
        let headers = [("sec-fetch-site", "same-origin".to_owned()), ("content-type", "application/json".to_owned())];
        if operation.takes_a_body() {
            let broken = send(&app, &operation.method, &path, &headers, Some("{".to_owned())).await;
            assert!(matches!(operation.checked(broken).status, 400 | 401 | 404), "{}", operation.name);
        }
    }
}
