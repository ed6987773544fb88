//! Sign-in of the published command lines.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call_as(None, Method::POST, &format!("/api/cli/{path}"), Some(body)).await
}

async fn code(app: &TestApp) -> String {
    post(app, "auth/request", json!({})).await.body["auth_code"].as_str().unwrap().to_owned()
}

async fn exchange(app: &TestApp, code: &str) -> Answer {
    post(app, "auth/exchange", json!({"auth_code": code})).await
}

async fn token(app: &TestApp, email: &str, projects: &[String]) -> String {
    let code = code(app).await;
    app.app.operator().approve_login(&code, email, projects).await.unwrap();
    exchange(app, &code).await.body["token"].as_str().unwrap().to_owned()
}

async fn with_token(app: &TestApp, method: Method, path: &str, token: &str) -> Answer {
    app.call_raw(&[("x-cli-token", token)], method, &format!("/api/cli/{path}"), None).await
}

#[tokio::test]
async fn approved_code_is_exchanged_once() {
    let app = TestApp::start().await;
    let asked = post(&app, "auth/request", json!({})).await.body;
    let code = asked["code"].as_str().unwrap();
    assert_eq!([&asked["auth_code"], &asked["auth_url"]], [&asked["code"], &asked["url"]]);
    assert!(asked["url"].as_str().unwrap().ends_with(&format!("/cli/authorize/{code}")));
    let waiting = exchange(&app, code).await;
    assert_eq!(
        (waiting.status, &waiting.body["error"], &waiting.body["code"]),
        (404, &json!("Not ready"), &json!("not_ready"))
    );
    app.app.operator().approve_login(&code.to_lowercase(), "Dev@Example.test", &[]).await.unwrap();
    let token = exchange(&app, code).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(exchange(&app, code).await.status, 404, "used");
    let verdict = with_token(&app, Method::GET, "auth/verify", &token).await;
    assert_eq!((verdict.status, verdict.body), (200, json!({"valid": true, "email": "dev@example.test"})));
    assert!(app.app.operator().approve_login(code, "eve@example.test", &[]).await.is_err());
    assert_eq!(exchange(&app, "ABCDEF-ABCDEF-ABCDEF").await.status, 404, "unknown and waiting get the same answer");
    assert_eq!(post(&app, "auth/exchange", json!({})).await.status, 422);
}

#[tokio::test]
async fn codes_and_tokens_expire() {
    let app = TestApp::start().await;
    let late = code(&app).await;
    app.forward(Span::from_mins(10)).await;
    let refused = app.app.operator().approve_login(&late, "dev@example.test", &[]).await.unwrap_err();
    assert!(refused.to_string().contains("no pending sign-in for this code"), "{refused}");
    let token = token(&app, "dev@example.test", &[]).await;
    app.forward(Span::from_hours(90 * 24 - 1)).await;
    assert_eq!(with_token(&app, Method::GET, "auth/verify", &token).await.status, 200);
    app.forward(Span::from_hours(1)).await;
    assert_eq!(with_token(&app, Method::GET, "auth/verify", &token).await.status, 401);
}

#[tokio::test]
async fn number_of_pending_codes_is_limited() {
    let app = TestApp::start().await;
    for _ in 0..1_000 {
        code(&app).await;
    }
    let refused = post(&app, "auth/request", json!({})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")));
    app.forward(Span::from_mins(10)).await;
    code(&app).await;
}

#[tokio::test]
async fn missing_altered_or_revoked_token_is_refused() {
    let app = TestApp::start().await;
    let token = token(&app, "dev@example.test", &[]).await;
    let last = if token.ends_with('x') { "y" } else { "x" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let paths = ["auth/verify", "projects", &format!("projects/{}", app.project)];
    for path in paths {
        let missing = app.call_as(None, Method::GET, &format!("/api/cli/{path}"), None).await;
        assert_eq!((missing.status, missing.body["error"].as_str()), (401, Some("Invalid or missing token")), "{path}");
        for wrong in ["nonsense", changed.as_str(), app.key.as_str()] {
            assert_eq!(with_token(&app, Method::GET, path, wrong).await.status, 401, "{path} {wrong}");
        }
        assert_eq!(with_token(&app, Method::GET, path, &token).await.status, 200, "{path}");
    }
    let as_key = app.call_as(Some(&token), Method::GET, "/api/v1/agents", None).await;
    assert_eq!(as_key.status, 401, "a token is not tied to a project");
    let revoked = with_token(&app, Method::POST, "auth/revoke", &token).await;
    assert_eq!((revoked.status, revoked.body), (200, json!({"revoked": true})));
    for path in paths {
        assert_eq!(with_token(&app, Method::GET, path, &token).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn member_gets_keys_of_their_own_projects_only() {
    let app = TestApp::start().await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let member = token(&app, "ana@example.test", &[app.project.to_string()]).await;
    let operator = token(&app, "op@example.test", &[]).await;
    let names = async |token: &str| {
        let list = with_token(&app, Method::GET, "projects", token).await;
        let mut names: Vec<String> =
            list.data().as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(
        (names(&member).await, names(&operator).await),
        (vec!["Tests".into()], vec!["Other".into(), "Tests".into()])
    );
    for (token, project, found) in [(&member, app.project, true), (&member, other, false), (&operator, other, true)] {
        let path = format!("projects/{project}");
        assert_eq!(with_token(&app, Method::GET, &path, token).await.status, if found { 200 } else { 404 });
        let made = with_token(&app, Method::POST, &format!("{path}/generate_api_key"), token).await;
        assert_eq!(made.status, if found { 201 } else { 404 });
        if found {
            let key = made.data()["key"].as_str().unwrap();
            let own = app.call_as(Some(key), Method::GET, &format!("/api/v1/projects/{project}"), None).await;
            assert_eq!(own.data()["id"], json!(project));
        }
    }
    assert_eq!(with_token(&app, Method::GET, "projects/not-an-id", &operator).await.status, 404);
}

#[tokio::test]
async fn code_page_shows_only_the_command() {
    let app = TestApp::start().await;
    let code = code(&app).await;
    let page = app.request(Method::GET, &format!("/cli/authorize/{code}")).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(page.text().await.unwrap().contains(&format!("chasqui login approve {code}")));
    let odd = app.call_as(None, Method::GET, "/cli/authorize/%3Cscript%3E", None).await;
    assert_eq!(odd.status, 404);
}

#[tokio::test]
async fn no_client_is_asked_to_update() {
    let app = TestApp::start().await;
    for (agent, version) in
        [("kapso-cli/0.1.5", "0.1.5"), ("kapso-cli/0.4.0 x", "0.4.0"), ("kapso-cli/<b>", "0.1.0"), ("curl", "0.1.0")]
    {
        let answer = app.call_raw(&[("user-agent", agent)], Method::GET, "/api/cli/version", None).await;
        assert_eq!(answer.body["latest_version"], version, "{agent}");
    }
}
