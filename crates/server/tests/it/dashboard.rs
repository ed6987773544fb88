//! The dashboard's page and files are served with a strict policy.

use reqwest::{Method, redirect::Policy};
use testkit::TestApp;

#[tokio::test]
async fn page_and_files_are_served_with_a_strict_policy_and_caching() {
    let app = TestApp::start().await;
    for path in ["/app", "/app/", "/app/login", "/app/p/unknown/inbox", "/app/invitations/token"] {
        let page = app.request(Method::GET, path).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.ends_with("require-trusted-types-for 'script'; trusted-types layout"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        let html = page.text().await.unwrap();
        assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("://"), "{html}");
        let files: Vec<_> = html.split('"').filter(|text| text.contains("assets/")).map(str::to_owned).collect();
        assert!(files.len() >= 2, "{html}");
        for file in files {
            let answer =
                app.request(Method::GET, &format!("/app/{}", file.trim_start_matches("./"))).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{file}");
            assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable", "{file}");
        }
    }
}

#[tokio::test]
async fn missing_files_and_routes_are_not_found() {
    let app = TestApp::start().await;
    for (method, path, status) in [
        (Method::GET, "/app/assets/gone-12345678.js", 404),
        (Method::GET, "/app/api/unknown", 404),
        (Method::POST, "/app/api/unknown", 404),
        (Method::POST, "/app/login", 405),
    ] {
        let answer = app.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
    }
}

#[tokio::test]
async fn unchanged_page_is_answered_304_and_the_root_leads_there() {
    let app = TestApp::start().await;
    let page = app.request(Method::GET, "/app").send().await.unwrap();
    let tag = page.headers()["etag"].clone();
    let again = app.request(Method::GET, "/app").header("if-none-match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.content_length()), (304, Some(0)));
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let root = client.get(format!("{}/", app.app.url())).send().await.unwrap();
    assert_eq!((root.status().as_u16(), &root.headers()["location"]), (307, &"/app".parse().unwrap()));
}

#[tokio::test]
async fn only_a_server_with_an_emulated_phone_has_its_routes() {
    use crate::people::support::{Browser, person};
    let plain = TestApp::start().await;
    person(&plain, "olga@example.test", None).await;
    make_operator(&plain, "olga@example.test").await;
    let olga = Browser::signed_in(&plain, "olga@example.test").await;
    for (method, path) in [("GET", "state"), ("GET", "events"), ("POST", "inbound"), ("POST", "clock")] {
        let body = (method == "POST").then(|| serde_json::json!({}));
        let answer = olga.call(method, &format!("/app/api/phone/{path}"), body).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(olga.get("/app/api/state").await.data()["phone"], serde_json::Value::Null);

    let emulator = emulator::start(emulator::Config::default()).await.unwrap();
    let control = emulator.control();
    let app = TestApp::with(true, |config| config.phone = server::Phone::Here(control)).await;
    person(&app, "olga@example.test", None).await;
    make_operator(&app, "olga@example.test").await;
    person(&app, "maria@example.test", Some(domain::role::Role::Owner)).await;
    let (olga, maria) =
        (Browser::signed_in(&app, "olga@example.test").await, Browser::signed_in(&app, "maria@example.test").await);
    assert_eq!(olga.get("/app/api/state").await.data()["phone"], "here");
    let state = "/app/api/phone/state";
    assert_eq!((olga.get(state).await.status, maria.get(state).await.status), (200, 403));
    assert_eq!(app.request(Method::GET, state).send().await.unwrap().status(), 401, "a key is no person");
    let foreign = olga.call_with("POST", "/app/api/phone/clock", None, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(foreign.status, 403);
    let before = app.clock.now();
    let moved = serde_json::json!({"advance_ms": 3_600_000});
    assert_eq!(olga.call("POST", "/app/api/phone/clock", Some(moved)).await.status, 200);
    assert_eq!(app.clock.now(), before + domain::Span::from_hours(1), "the server's clock moves with the phone's");
}

/// Gives a person the rights of an operator.
async fn make_operator(app: &TestApp, email: &str) {
    let (context, now) = (app.app.context(), app.clock.now());
    let id = domain::Id::from_uuid(uuid::Uuid::now_v7());
    let made = store::transact!(context.store, "test.operator", tx => {
        store::users::ensure(tx, id, email, true, now).await
    });
    made.unwrap();
}
