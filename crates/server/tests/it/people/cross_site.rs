//! Requests with a cookie that another site causes.

use super::support::{Browser, PASSWORD, person, send};
use domain::role::Role;
use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn form_fetch_and_event_source_of_another_site_are_refused() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let browser = Browser::signed_in(&app, "ana@example.test").await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let cookie = ("cookie", browser.cookies());
    let project = ("x-project-id", app.project.to_string());
    let site = |site: &str| ("sec-fetch-site", site.to_owned());
    let origin = |origin: &str| ("origin", origin.to_owned());
    let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let json_type = ("content-type", "application/json".to_owned());
    let stream = ("accept", "text/event-stream".to_owned());
    let new = json!({"agent": {"name": "Evil"}}).to_string();
    let list = format!("/api/v1/agents/{agent}/executions");
    let refused = [
        ("POST", "/api/v1/agents", vec![site("cross-site"), form.clone(), project.clone()]),
        ("POST", "/api/v1/agents", vec![site("same-site"), json_type.clone(), project.clone()]),
        ("POST", "/api/v1/agents", vec![site("none"), json_type.clone(), project.clone()]),
        ("POST", "/api/v1/agents", vec![origin("http://evil.example"), json_type.clone(), project.clone()]),
        ("POST", "/api/v1/agents", vec![origin("null"), json_type.clone(), project.clone()]),
        ("POST", "/api/v1/agents", vec![json_type.clone(), project.clone()]),
        ("GET", list.as_str(), vec![site("cross-site"), stream.clone(), project.clone()]),
        ("GET", list.as_str(), vec![site("same-site"), stream, project.clone()]),
        ("PATCH", "/app/api/me", vec![site("cross-site"), json_type.clone()]),
        ("PATCH", "/app/api/me", vec![site("same-origin"), ("content-type", "text/plain".to_owned())]),
        ("DELETE", "/app/api/session", vec![site("cross-site"), json_type.clone()]),
        ("GET", "/app/api/me", vec![site("cross-site")]),
    ];
    for (method, path, mut headers) in refused {
        headers.push(cookie.clone());
        let body = (method != "GET").then(|| new.clone());
        let answer = send(&app, method, path, &headers, body).await;
        let got = (answer.status, answer.body["code"].as_str());
        assert_eq!(got, (403, Some("cross_site")), "{method} {path} {headers:?}: {}", answer.body);
        assert!(!answer.headers.keys().any(|name| name.starts_with("access-control")), "no CORS");
    }
    let own = format!("http://{}", app.app.url().split_once("//").unwrap().1);
    for mark in [site("same-origin"), origin(&own)] {
        let headers = [mark, json_type.clone(), project.clone(), cookie.clone()];
        assert_eq!(send(&app, "POST", "/api/v1/agents", &headers, Some(new.clone())).await.status, 201);
    }
    let audit = browser.get("/api/v1/audit?q[action_eq]=agent.create").await;
    assert_eq!(audit.body["meta"]["total_count"], 3, "only those of this server and of the key");
    let actors = audit.data().as_array().unwrap().iter().map(|row| row["actor"].as_str().unwrap());
    assert_eq!(actors.filter(|actor| actor.starts_with("user:")).count(), 2);
}

#[tokio::test]
async fn another_site_cannot_sign_its_visitor_in() {
    let app = TestApp::start().await;
    person(&app, "eve@example.test", Some(Role::Owner)).await;
    let body = json!({"email": "eve@example.test", "password": PASSWORD}).to_string();
    let json_type = ("content-type", "application/json".to_owned());
    for mark in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.example")] {
        let headers = [(mark.0, mark.1.to_owned()), json_type.clone()];
        let answer = send(&app, "POST", "/app/api/session", &headers, Some(body.clone())).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("cross_site")));
    }
    let plain = [("content-type", "text/plain".to_owned())];
    assert_eq!(send(&app, "POST", "/app/api/session", &plain, Some(body)).await.status, 415);
}
