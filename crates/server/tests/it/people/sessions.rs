//! Sessions: expiry, list, revocation, and what they may do in a project.

use super::support::{Browser, PASSWORD, person};
use domain::{Span, role::Role};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{ANA, TestApp};

#[tokio::test]
async fn session_ends_after_12_idle_hours_and_after_30_days() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    for hours in [11, 11, 11] {
        app.clock.forward(Span::from_hours(hours));
        assert_eq!(browser.get("/app/api/me").await.status, 200);
    }
    app.app.write_last_uses().await;
    app.clock.forward(Span::from_hours(11));
    assert_eq!(browser.get("/app/api/me").await.status, 200, "the last use is stored");
    app.clock.forward(Span::from_hours(12));
    assert_eq!(browser.get("/app/api/me").await.status, 401, "idle");
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    for _ in 0..(30 * 24 / 11) {
        app.clock.forward(Span::from_hours(11));
        assert_eq!(browser.get("/app/api/me").await.status, 200);
    }
    app.clock.forward(Span::from_hours(11));
    assert_eq!(browser.get("/app/api/me").await.status, 401, "30 days");
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_by_their_own_user_only() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    person(&app, "eve@example.test", Some(Role::Owner)).await;
    let first = Browser::signed_in(&app, "ana@example.test").await;
    app.clock.forward(Span::from_secs(1));
    let second = Browser::signed_in(&app, "ana@example.test").await;
    let eve = Browser::signed_in(&app, "eve@example.test").await;
    let list = first.get("/app/api/me/sessions").await.data().clone();
    assert_eq!((list[0]["is_current"].as_bool(), list[1]["is_current"].as_bool()), (Some(false), Some(true)));
    assert_eq!(list[0]["address"], "127.0.0.1");
    let path = format!("/app/api/me/sessions/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(eve.call("DELETE", &path, None).await.status, 404);
    assert_eq!(second.get("/app/api/me").await.status, 200);
    assert_eq!(first.call("DELETE", &path, None).await.status, 204);
    assert_eq!((second.get("/app/api/me").await.status, first.get("/app/api/me").await.status), (401, 200));
    assert_eq!(first.call("DELETE", &path, None).await.status, 404);
    assert_eq!(first.call("DELETE", "/app/api/session", None).await.status, 204);
    assert!(!first.cookies().contains("__Host-chasqui="), "the cookie is deleted");
}

#[tokio::test]
async fn changed_password_ends_the_other_sessions() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Viewer)).await;
    let (first, second) =
        (Browser::signed_in(&app, "ana@example.test").await, Browser::signed_in(&app, "ana@example.test").await);
    let change = |old: &str| json!({"old_password": old, "new_password": "another long one"});
    let wrong = first.call("PUT", "/app/api/me/password", Some(change("wrong one"))).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (401, Some("wrong_credentials")));
    assert_eq!(first.call("PUT", "/app/api/me/password", Some(change(PASSWORD))).await.status, 204);
    assert_eq!((first.get("/app/api/me").await.status, second.get("/app/api/me").await.status), (200, 401));
    assert_eq!(Browser::new(&app).sign_in("ana@example.test", PASSWORD).await.status, 401);
    assert_eq!(Browser::new(&app).sign_in("ana@example.test", "another long one").await.status, 200);
}

#[tokio::test]
async fn own_account_is_read_and_changed() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Inbox)).await;
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    let me = browser.get("/app/api/me").await.data().clone();
    let project = json!([{"id": app.project, "name": "Tests", "role": "inbox"}]);
    assert_eq!((&me["projects"], &me["language"], &me["shortcuts"]), (&project, &json!("en"), &json!(true)));
    let change = json!({"name": "Ana", "language": "pt-BR", "theme": "dark", "shortcuts": false});
    let changed = browser.call("PATCH", "/app/api/me", Some(change)).await.data().clone();
    assert_eq!(
        (&changed["name"], &changed["language"], &changed["theme"]),
        (&json!("Ana"), &json!("pt-BR"), &json!("dark"))
    );
    assert_eq!(browser.call("PATCH", "/app/api/me", Some(json!({}))).await.data(), &changed);
    let wrong = browser.call("PATCH", "/app/api/me", Some(json!({"language": "xx"}))).await;
    assert_eq!((wrong.status, wrong.body["details"][0]["path"].as_str()), (422, Some("/language")));
}

/// Opens the event stream of an execution and returns the time until it ended.
async fn stream_until_closed(app: &TestApp, headers: &[(&str, String)], end: impl AsyncFnOnce()) -> Duration {
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let list = app.get(&format!("/api/v1/agents/{agent}/executions")).await;
    let execution = list.data()[0]["id"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/agents/{agent}/executions/{execution}/events", app.app.url());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let mut request = client.get(url).header("accept", "text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.chunk().await.unwrap().is_some(), "events");
    end().await;
    let began = Instant::now();
    let rest = async { while response.chunk().await.ok().flatten().is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), rest).await.expect("the stream ends");
    began.elapsed()
}

#[tokio::test]
async fn stream_of_a_revoked_key_closes_within_five_seconds() {
    let app = TestApp::start().await;
    let new = app.post("/api/v1/api_keys", json!({"api_key": {"name": "screen", "role": "builder"}})).await;
    let (key, id) = (new.data()["key"].as_str().unwrap().to_owned(), new.id());
    let took = stream_until_closed(&app, &[("x-api-key", key.clone())], async || {
        app.call(reqwest::Method::DELETE, &format!("/api/v1/api_keys/{id}"), None).await;
    })
    .await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(app.call_as(Some(&key), reqwest::Method::GET, "/api/v1/agents", None).await.status, 401);
}

#[tokio::test]
async fn stream_of_a_removed_member_closes_within_five_seconds() {
    let app = TestApp::start().await;
    let user = person(&app, "ana@example.test", Some(Role::Builder)).await;
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    let headers = [
        ("cookie", browser.cookies()),
        ("x-project-id", app.project.to_string()),
        ("sec-fetch-site", "same-origin".to_owned()),
    ];
    let took = stream_until_closed(&app, &headers, async || {
        let lower = json!({"member": {"role": "inbox"}});
        app.patch(&format!("/api/v1/members/{user}"), lower).await.data();
    })
    .await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}
