//! Invitations, resets and members.

use super::support::{Browser, PASSWORD, person};
use domain::{Span, role::Role};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

/// Invites by API; returns the path of the link's operations.
async fn invite(app: &TestApp, email: &str, role: &str) -> String {
    let made = app.post("/api/v1/invitations", json!({"invitation": {"email": email, "role": role}})).await;
    api_path(made.data()["url"].as_str().unwrap())
}

fn api_path(link: &str) -> String {
    format!("/app/api/invitations/{}", link.rsplit('/').next().unwrap())
}

async fn accept(app: &TestApp, path: &str, password: &str) -> (u16, Value) {
    let answer = Browser::new(app).call("POST", path, Some(json!({"name": "Bea", "password": password}))).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn invited_person_chooses_a_password_and_joins_once() {
    let app = TestApp::start().await;
    let path = invite(&app, "Bea@Example.test", "inbox").await;
    let open = Browser::new(&app).get(&path).await.data().clone();
    assert_eq!(open, json!({"email": "bea@example.test", "project": "Tests", "role": "inbox", "has_password": false}));
    let (status, body) = accept(&app, &path, "long enough 1").await;
    assert_eq!((status, &body["data"]["projects"][0]["role"]), (200, &json!("inbox")), "{body}");
    assert_eq!(accept(&app, &path, "long enough 1").await.0, 404, "used");
    let bea = Browser::new(&app);
    assert_eq!(bea.sign_in("bea@example.test", "long enough 1").await.status, 200);
    assert_eq!(bea.get("/api/v1/whatsapp_conversations").await.status, 200);
    assert_eq!(bea.get("/api/v1/agents").await.status, 403);
    let members = bea.get("/api/v1/members").await.data().clone();
    assert_eq!((&members[0]["name"], &members[0]["email"]), (&json!("Bea"), &Value::Null), "names, not addresses");
}

#[tokio::test]
async fn invitation_expires_is_replaced_and_withdrawn() {
    let app = TestApp::start().await;
    let first = invite(&app, "bea@example.test", "inbox").await;
    let second = invite(&app, "bea@example.test", "viewer").await;
    assert_eq!(Browser::new(&app).get(&first).await.status, 404, "replaced");
    let list = app.get("/api/v1/invitations").await;
    let path = format!("/api/v1/invitations/{}", list.data()[0]["id"].as_str().unwrap());
    assert_eq!(Browser::new(&app).get(&second).await.status, 200);
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(accept(&app, &second, "long enough 1").await.0, 404, "withdrawn");
    let third = invite(&app, "bea@example.test", "viewer").await;
    app.clock.forward(Span::from_hours(7 * 24));
    assert_eq!(accept(&app, &third, "long enough 1").await.0, 404, "expired");
}

#[tokio::test]
async fn invitation_does_not_open_an_existing_account() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", None).await;
    let path = invite(&app, "ana@example.test", "owner").await;
    assert_eq!(accept(&app, &path, "chosen by the inviter").await.0, 401, "her own password is needed");
    assert_eq!(accept(&app, &path, PASSWORD).await.0, 200);
    // A user of command lines, without a password, with rights elsewhere.
    app.app.operator().create_project("Other").await.unwrap();
    app.key_of("dev@example.test").await;
    let path = invite(&app, "dev@example.test", "owner").await;
    let (status, body) = accept(&app, &path, "chosen by the inviter").await;
    assert_eq!((status, body["code"].as_str()), (403, Some("account_exists")));
    let token = app.app.operator().invite("dev@example.test", "Tests", Role::Inbox).await.unwrap();
    assert_eq!(accept(&app, &api_path(&token), "chosen by herself").await.0, 200, "an operator may");
}

#[tokio::test]
async fn reset_link_sets_a_password_once_and_ends_all_sessions() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    let operator = app.app.operator();
    let stale = operator.reset_password("ana@example.test").await.unwrap();
    let path = api_path(&operator.reset_password("Ana@example.test ").await.unwrap());
    assert_eq!(Browser::new(&app).get(&api_path(&stale)).await.status, 404, "replaced");
    assert_eq!(Browser::new(&app).get(&path).await.data()["project"], Value::Null);
    assert_eq!(accept(&app, &path, "a new password").await.0, 200);
    assert_eq!(accept(&app, &path, "a new password").await.0, 404);
    assert_eq!(browser.get("/app/api/me").await.status, 401);
    assert_eq!(Browser::new(&app).sign_in("ana@example.test", "a new password").await.status, 200);
    let late = api_path(&operator.reset_password("ana@example.test").await.unwrap());
    app.clock.forward(Span::from_hours(24));
    assert_eq!(accept(&app, &late, "a new password").await.0, 404);
}

#[tokio::test]
async fn removed_or_lowered_member_loses_the_keys_with_more_rights() {
    let app = TestApp::start().await;
    person(&app, "owner@example.test", Some(Role::Owner)).await;
    let (key, user) = app.key_of("ana@example.test").await;
    let status =
        async |key: &str| app.call_as(Some(key), Method::GET, "/api/v1/whatsapp_conversations", None).await.status;
    assert_eq!(status(&key).await, 200);
    let path = format!("/api/v1/members/{user}");
    app.patch(&path, json!({"member": {"role": "viewer"}})).await.data();
    assert_eq!(status(&key).await, 401, "it had all rights");
    let (lower, _) = app.key_of("ana@example.test").await;
    assert_eq!(status(&lower).await, 200);
    assert_eq!(
        app.call_as(Some(&lower), Method::GET, "/api/v1/agents", None).await.status,
        403,
        "the key has her role"
    );
    app.app.operator().remove_member("ana@example.test", "Tests").await.unwrap();
    assert_eq!(status(&lower).await, 401);
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 404);
    let people = app.app.operator().people().await.unwrap();
    assert_eq!((people[0].email.as_str(), people[0].projects.len()), ("ana@example.test", 0));
}
