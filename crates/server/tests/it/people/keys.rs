//! API keys with roles and expiry, and the project's own operations.

use super::support::{Browser, person};
use domain::{Span, role::Role};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

async fn status(app: &TestApp, key: &str) -> u16 {
    app.call_as(Some(key), Method::GET, "/api/v1/whatsapp_conversations", None).await.status
}

fn key_of(answer: &testkit::Answer) -> String {
    answer.data()["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn key_is_listed_with_its_author_and_last_use_and_expires() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let at = (app.clock.now() + Span::from_hours(1)).to_iso();
    let body = |at: &str| json!({"api_key": {"name": "shop", "role": "viewer", "expires_at": at}});
    app.clock.forward(Span::from_secs(1));
    let made = ana.call("POST", "/api/v1/api_keys", Some(body(&at))).await;
    let key = key_of(&made);
    assert_eq!(status(&app, &key).await, 200);
    app.app.write_last_uses().await;
    let list = ana.get("/api/v1/api_keys").await;
    let shown = &list.data()[0];
    assert_eq!(
        (&shown["name"], &shown["role"], &shown["created_by"]),
        (&json!("shop"), &json!("viewer"), &json!("ana@example.test"))
    );
    assert!(key.starts_with(shown["prefix"].as_str().unwrap()) && shown["last_used_at"].is_string());
    assert!(!list.body.to_string().contains(&key), "the secret is shown once");
    assert_eq!(app.call_as(Some(&key), Method::GET, "/api/v1/agents", None).await.status, 403);
    app.clock.forward(Span::from_hours(1));
    assert_eq!(status(&app, &key).await, 401);
    let past = ana.call("POST", "/api/v1/api_keys", Some(body(&at))).await;
    assert_eq!((past.status, past.body["details"][0]["code"].as_str()), (422, Some("in_the_past")));
}

#[tokio::test]
async fn rotated_key_stays_valid_for_the_overlap() {
    let app = TestApp::start().await;
    let made = app.post("/api/v1/api_keys", json!({"api_key": {"name": "shop", "role": "inbox"}})).await;
    let (old, id) = (key_of(&made), made.id());
    let rotated = app.post(&format!("/api/v1/api_keys/{id}/rotate"), json!({"overlap_seconds": 60})).await;
    let new = key_of(&rotated);
    assert_eq!(rotated.data()["api_key"]["role"], "inbox");
    app.clock.forward(Span::from_secs(59));
    assert_eq!([status(&app, &old).await, status(&app, &new).await], [200, 200]);
    app.clock.forward(Span::from_secs(1));
    assert_eq!([status(&app, &old).await, status(&app, &new).await], [401, 200]);
    let last = app.post(&format!("/api/v1/api_keys/{}/rotate", rotated.id()), json!({"overlap_seconds": 0})).await;
    assert_eq!([status(&app, &new).await, status(&app, &key_of(&last)).await], [401, 200]);
}

#[tokio::test]
async fn secret_of_a_key_is_stored_nowhere() {
    let app = TestApp::start().await;
    let body = json!({"api_key": {"name": "shop", "role": "inbox"}}).to_string();
    let headers = [("idempotency-key", "once"), ("content-type", "application/json")];
    let call = async || app.call_raw(&headers, Method::POST, "/api/v1/api_keys", Some(body.clone())).await;
    let (first, again) = (call().await, call().await);
    assert_eq!((first.id(), &again.data()["key"]), (again.id(), &Value::Null));
    let mut reader = app.app.context().store.read().await.unwrap();
    let now = app.clock.now();
    let stored = store::idempotency::find(&mut reader.conn(), app.project, "once", now).await.unwrap().unwrap();
    assert!(!stored.body.contains(&key_of(&first)));
}

#[tokio::test]
async fn archived_project_is_read_but_not_changed() {
    let app = TestApp::start().await;
    let path = format!("/api/v1/projects/{}", app.project);
    let archived = app.patch(&path, json!({"project": {"name": "Old", "archived": true}})).await;
    assert_eq!((&archived.data()["name"], archived.data()["archived_at"].is_string()), (&json!("Old"), true));
    let refused = app.post("/api/v1/agents", json!({"agent": {"name": "Desk"}})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (403, Some("project_archived")));
    assert_eq!(app.get("/api/v1/agents").await.status, 200);
    app.app.operator().archive_project("Old", false).await.unwrap();
    assert_eq!(app.post("/api/v1/agents", json!({"agent": {"name": "Desk"}})).await.status, 201);
    app.app.operator().rename_project("Old", "New").await.unwrap();
    let listed = app.get("/api/v1/projects").await;
    assert_eq!((listed.data()[0]["name"].as_str(), listed.data().as_array().unwrap().len()), (Some("New"), 1));
}

#[tokio::test]
async fn audit_names_key_and_person_and_is_exported() {
    let app = TestApp::start().await;
    let user = person(&app, "ana@example.test", Some(Role::Owner)).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    for n in 0..3 {
        app.clock.forward(Span::from_secs(1));
        ana.call("POST", "/api/v1/agents", Some(json!({"agent": {"name": format!("Desk {n}")}}))).await.data();
    }
    app.agent(json!({"name": "By key"})).await;
    let of = async |filter: &str| app.get(&format!("/api/v1/audit?{filter}")).await.body["meta"]["total_count"].clone();
    assert_eq!(of(&format!("q[actor_eq]=user:{user}")).await, 3);
    assert_eq!(of("q[action_eq]=agent.create").await, 4);
    assert_eq!(of(&format!("q[created_at_gteq]={}", app.clock.now().to_iso())).await, 2);
    let export = app.request(Method::GET, "/api/v1/audit/export?q[action_eq]=agent.create").send().await.unwrap();
    assert_eq!(export.headers()["content-type"], "text/csv; charset=utf-8");
    let text = export.text().await.unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(
        text.starts_with("created_at,id,actor,action,target,request_id\r\n") && text.contains(&format!("user:{user}"))
    );
}

#[tokio::test]
async fn person_approves_a_command_line_for_own_projects() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Inbox)).await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let asked = app.call_as(None, Method::POST, "/api/cli/auth/request", Some(json!({"client_name": "laptop"}))).await;
    let code = asked.body["code"].as_str().unwrap().to_owned();
    let path = format!("/app/api/cli_logins/{code}");
    assert_eq!(ana.get(&path).await.data()["client"], "laptop");
    let approve = |id: String| json!({"project_ids": [id]});
    assert_eq!(ana.call("POST", &path, Some(approve(other.to_string()))).await.status, 404);
    assert_eq!(ana.call("POST", &path, Some(approve(app.project.to_string()))).await.status, 204);
    assert_eq!(ana.get(&path).await.status, 404, "approved");
    let token = app.call_as(None, Method::POST, "/api/cli/auth/exchange", Some(json!({"auth_code": code}))).await;
    let token = token.body["token"].as_str().unwrap().to_owned();
    let make = format!("/api/cli/projects/{}/generate_api_key", app.project);
    let key = key_of(&app.call_raw(&[("x-cli-token", token.as_str())], Method::POST, &make, None).await);
    assert_eq!(status(&app, &key).await, 200);
    assert_eq!(app.call_as(Some(&key), Method::GET, "/api/v1/agents", None).await.status, 403, "as she may");
}
