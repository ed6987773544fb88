//! Limits of a project, which all its keys share.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

async fn agents_with(app: &TestApp, key: &str) -> Answer {
    app.call_as(Some(key), Method::GET, "/api/v1/agents", None).await
}

#[tokio::test]
async fn keys_of_a_project_share_its_requests_per_minute() {
    let app = TestApp::with(true, |config| {
        config.rate_limit_per_minute = 3;
        config.projects.requests_per_minute = 5;
    })
    .await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let key_of = async |project: String| app.app.operator().create_key(&project).await.unwrap().1;
    let (second, third) = (key_of(app.project.to_string()).await, key_of(app.project.to_string()).await);
    let foreign = key_of(other.to_string()).await;
    app.forward(domain::Span::from_secs(60)).await;
    for (key, status) in [(&app.key, 200), (&app.key, 200), (&app.key, 200), (&app.key, 429), (&second, 200)] {
        assert_eq!(agents_with(&app, key).await.status, status);
    }
    let last = agents_with(&app, &second).await;
    assert_eq!((last.status, last.headers["x-ratelimit-limit"].as_str()), (200, "3"), "the key's own limit is shown");
    let refused = agents_with(&app, &third).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")));
    assert_eq!((&*refused.headers["x-ratelimit-limit"], &*refused.headers["x-ratelimit-remaining"]), ("5", "0"));
    assert!(refused.headers["retry-after"].parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)));
    assert_eq!(agents_with(&app, &foreign).await.status, 200, "another project's are counted apart");
    app.clock.forward(domain::Span::from_secs(60));
    assert_eq!(agents_with(&app, &third).await.status, 200);
}

#[tokio::test]
async fn project_has_a_limit_of_live_keys() {
    let app = TestApp::with(true, |config| config.projects.keys = 3).await;
    // The project's first key is the operator's.
    let code =
        app.call_as(None, Method::POST, "/api/cli/auth/request", Some(json!({}))).await.body["auth_code"].clone();
    let projects = [app.project.to_string()];
    let rights = server::operator::logins::Rights::Projects(&projects);
    app.app.operator().approve_login(code.as_str().unwrap(), "ana@example.com", rights).await.unwrap();
    let exchange = app.call_as(None, Method::POST, "/api/cli/auth/exchange", Some(json!({"auth_code": code}))).await;
    let token = exchange.body["token"].as_str().unwrap().to_owned();
    let path = format!("/api/cli/projects/{}/generate_api_key", app.project);
    let headers = [("content-type", "application/json"), ("x-cli-token", &*token)];
    let create = async || app.call_raw(&headers, Method::POST, &path, Some("{}".into())).await;
    assert_eq!((create().await.status, create().await.status), (201, 201));
    let refused = create().await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("too_many_api_keys")), "{}", refused.body);
    let keys = app.app.operator().keys(None).await.unwrap();
    app.app.operator().revoke_key(keys.last().unwrap().id).await.unwrap();
    assert_eq!(create().await.status, 201, "a revoked key does not count");
}

#[tokio::test]
async fn keys_of_a_project_share_its_event_streams() {
    let app = TestApp::with(true, |config| config.projects.streams = 2).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Yes?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/agents/{agent}/executions/{execution}/events");
    let (_, second) = app.app.operator().create_key(&app.project.to_string()).await.unwrap();
    let follow = async |key: &str| {
        let mut request = app.request(Method::GET, &path).header("accept", "text/event-stream").build().unwrap();
        request.headers_mut().insert("x-api-key", key.parse().unwrap());
        reqwest::Client::builder().no_proxy().build().unwrap().execute(request).await.unwrap()
    };
    let _open = [follow(&app.key).await, follow(&second).await];
    let refused = follow(&second).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "too_many_streams");
}

#[tokio::test]
async fn project_has_a_limit_of_stored_files() {
    let app = TestApp::with(true, |config| config.projects.stored_mib = 1).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let conversation = app.conversation().await;
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let form = |size: usize| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"message[media_file]\"; filename=\"a.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\n";
        let field =
            "\r\n--b\r\nContent-Disposition: form-data; name=\"message[message_type]\"\r\n\r\ndocument\r\n--b--\r\n";
        format!("{head}{}{field}", "x".repeat(size))
    };
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    // WhatsApp is slow, so the files wait.
    let fault = json!({"when": {"surface": "media_upload"}, "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(fault)).await;
    let send = async |size: usize| app.call_raw(&headers, Method::POST, &path, Some(form(size))).await;
    let first = send(1_200_000).await;
    assert_ne!((first.status, first.body["code"].as_str()), (422, Some("storage_full")), "{}", first.body);
    let refused = send(10).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("storage_full")), "{}", refused.body);
    app.forward(domain::Span::from_hours(27)).await;
    assert_ne!(send(10).await.body["code"].as_str(), Some("storage_full"), "waiting files are deleted after 26 hours");
}

#[tokio::test]
async fn versions_of_agents_count_as_stored_bytes() {
    let app = TestApp::with(true, |config| config.projects.stored_mib = 1).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let save = async |version: usize| {
        let change = json!({"agent": {"system_prompt": format!("{version} {}", "é".repeat(50_000))}});
        app.patch(&format!("/api/v1/agents/{agent}"), change).await
    };
    let mut saved = 0;
    let refused = loop {
        let answer = save(saved).await;
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(save(saved).await.status, 200, "the same version again");
        saved += 1;
    };
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("storage_full")), "{}", refused.body);
    // 100 kB each.
    assert_eq!(saved, 10);
    let renamed = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"name": "Front desk"}})).await;
    assert_eq!(renamed.status, 200, "a change without a new version");
    let shown = app.get(&format!("/api/v1/agents/{agent}/graph")).await;
    let kept = shown.data()["system_prompt"].as_str().unwrap().to_owned();
    assert!(kept.starts_with(&format!("{} ", saved - 1)), "the refused save changed nothing");
}
