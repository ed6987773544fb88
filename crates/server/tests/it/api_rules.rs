//! Rules of every API request: rate limits, headers, stale versions and audit rows.

use reqwest::Method;
use serde_json::json;
use server::Hosts;
use store::audit;
use testkit::TestApp;

#[tokio::test]
async fn foreign_host_is_refused_on_every_path_where_hosts_are_listed() {
    let app = TestApp::with(true, |config| config.hosts = Hosts::of("shop.example")).await;
    let refused = async |path: &str, host: &str| {
        let answer = app.request(Method::GET, path).header("host", host).send().await.unwrap();
        answer.text().await.unwrap().contains("host_not_allowed")
    };
    for path in ["/api/v1/agents", "/webhooks/whatsapp", "/health/live", "/docs", "/nothing"] {
        let answer = app.call_raw(&[("host", "rebound.example")], Method::GET, path, None).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("host_not_allowed")), "{path}");
        assert!(!refused(path, "shop.example").await && !refused(path, "localhost:1").await, "{path}");
    }
    let open = TestApp::start().await;
    let any = open.request(Method::GET, "/health/live").header("host", "rebound.example").send().await.unwrap();
    assert_eq!(any.status(), 200, "a proxy may pass any name on");
}

#[tokio::test]
async fn key_over_its_rate_limit_gets_429_with_retry_after() {
    let app = TestApp::with(true, |config| config.rate_limit_per_minute = 3).await;
    let minute = domain::Span::from_secs(60);
    app.forward(minute).await;
    for left in ["2", "1", "0"] {
        let answer = app.get("/api/v1/agents").await;
        assert_eq!((answer.status, answer.headers["x-ratelimit-remaining"].as_str()), (200, left));
        assert_eq!(answer.headers["x-ratelimit-limit"], "3");
    }
    let refused = app.get("/api/v1/agents").await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")));
    let wait: i64 = refused.headers["retry-after"].parse().unwrap();
    let reset: i64 = refused.headers["x-ratelimit-reset"].parse().unwrap();
    assert!((1..=60).contains(&wait) && reset - app.clock.now().secs() == wait);
    let (_, other) = app.app.operator().create_key(&app.project.to_string()).await.unwrap();
    assert_eq!(
        app.call_as(Some(&other), Method::GET, "/api/v1/agents", None).await.status,
        200,
        "keys are counted separately"
    );
    assert_eq!(app.call_as(None, Method::GET, "/health/live", None).await.status, 200);
    app.clock.forward(domain::Span::from_secs(wait));
    assert_eq!(app.get("/api/v1/agents").await.status, 200);
}

#[tokio::test]
async fn wrong_keys_are_limited_per_address_without_blocking_valid_keys() {
    let app = TestApp::with(true, |config| config.rate_limit_per_minute = 3).await;
    let wrong = async || {
        let answer = app.call_as(Some("chq_aaaaaaaaaaaa_wrong"), Method::GET, "/api/v1/agents", None).await;
        (answer.status, answer.headers.get("retry-after").cloned())
    };
    let signed_in = async || app.call_as(None, Method::GET, "/api/cli/auth/verify", None).await.status;
    assert_eq!((wrong().await.0, wrong().await.0, signed_in().await), (401, 401, 401));
    assert_eq!((wrong().await.0, signed_in().await), (429, 429));
    assert!(wrong().await.1.is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| seconds <= 60)));
    assert_eq!(app.get("/api/v1/agents").await.status, 200);
    app.clock.forward(domain::Span::from_secs(60));
    assert_eq!(wrong().await.0, 401);
}

#[tokio::test]
async fn change_with_stale_version_is_refused() {
    let app = TestApp::start().await;
    let id = app.agent(json!({"name": "First"})).await;
    let path = format!("/api/v1/agents/{id}");
    let tag = app.get(&path).await.headers["etag"].clone();
    assert_eq!(tag, app.get(&format!("{path}/graph")).await.headers["etag"]);
    let patch = async |tag: &str, name: &str| {
        let request = app.request(Method::PATCH, &path).header("if-match", tag);
        let answer = request.json(&json!({"agent": {"name": name}})).send().await.unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag, answer.json::<serde_json::Value>().await.unwrap())
    };
    let (status, newer, _) = patch(&tag, "Second").await;
    assert_eq!((status, newer.is_some_and(|newer| newer != tag)), (200, true));
    let (status, _, body) = patch(&tag, "Third").await;
    assert_eq!((status, body["code"].as_str()), (409, Some("stale")));
    assert_eq!(app.get(&path).await.data()["name"], "Second");
    let now = app.get(&path).await.headers["etag"].clone();
    assert_eq!(patch(&format!("\"0\", W/{now}"), "Third").await.0, 200);
    assert_eq!(patch("*", "Fourth").await.0, 200);
}

#[tokio::test]
async fn writes_are_audited_and_refused_ones_are_not() {
    let app = TestApp::start().await;
    let id = app.agent(json!({"name": "Seen"})).await;
    // Rows of the same millisecond have no defined order.
    app.clock.forward(domain::Span::from_secs(1));
    let patched = app.patch(&format!("/api/v1/agents/{id}"), json!({"agent": {"name": "Seen again"}})).await;
    assert_eq!(app.post("/api/v1/agents", json!({"agent": {"name": ""}})).await.status, 422);
    let mut reader = app.app.context().store.read().await.unwrap();
    let (rows, total) = audit::list(&mut reader.conn(), app.project, 10, 0).await.unwrap();
    assert_eq!(total, 2);
    let seen: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.target == id)).collect();
    assert_eq!(seen, [("agent.update", true), ("agent.create", true)]);
    assert!(rows[0].actor.starts_with("key:") && rows[0].request_id == patched.headers["x-request-id"]);
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_refused() {
    let app = TestApp::start().await;
    let mut many = app.request(Method::GET, "/api/v1/agents");
    for number in 0..65 {
        many = many.header(format!("x-h-{number}"), "v");
    }
    let answer = many.send().await.unwrap();
    assert_eq!(answer.status(), 431);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], "headers_too_large");
    let large = app.request(Method::GET, "/api/v1/agents").header("x-large", "v".repeat(17_000)).send().await.unwrap();
    assert_eq!(large.status(), 431);
    let line = format!("/api/v1/customers?q[name_cont]={}", "v".repeat(17_000));
    assert_eq!(app.get(&line).await.status, 431);
}

#[tokio::test]
async fn nul_in_a_query_is_refused_and_yields_no_token() {
    let app = TestApp::start().await;
    for path in ["customers?q[name_cont]=%00", "whatsapp_conversations?q[phone_number_eq]=a%00b"] {
        let answer = app.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.body["details"][0]["code"].as_str()), (422, Some("nul")), "{path}");
    }
    let spelled = app.get(r"/api/v1/customers?q[name_cont]=\u0000&unknown=%00").await;
    assert_eq!(spelled.status, 200, "neither contains a NUL character");
    let handshake = "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=%00";
    assert_eq!(app.call_as(None, Method::GET, handshake, None).await.status, 403);
}
