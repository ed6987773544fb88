//! Guesses of passwords are bounded, and lock no owner out.

use super::support::{Browser, PASSWORD, person, send};
use domain::{Span, role::Role};
use serde_json::json;
use testkit::TestApp;

async fn proxied() -> TestApp {
    let app = TestApp::with(true, |config| config.connections.proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    app
}

async fn guess(app: &TestApp, from: &str, email: &str, password: &str) -> u16 {
    let headers = [("x-forwarded-for", from.to_owned()), ("content-type", "application/json".to_owned())];
    let body = json!({"email": email, "password": password}).to_string();
    send(app, "POST", "/app/api/session", &headers, Some(body)).await.status
}

#[tokio::test]
async fn guesses_from_many_addresses_are_bounded_and_a_known_browser_still_signs_in() {
    let app = proxied().await;
    let known = Browser::signed_in(&app, "ana@example.test").await;
    let mut answers = Vec::new();
    for n in 0..25 {
        answers.push(guess(&app, &format!("192.0.2.{n}"), "ana@example.test", "wrong guess").await);
    }
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 10, "{answers:?}");
    assert!(answers[10..].iter().all(|status| *status == 429));
    assert_eq!(guess(&app, "198.51.100.1", "ana@example.test", PASSWORD).await, 429, "also the right one, elsewhere");
    known.call("DELETE", "/app/api/session", None).await;
    assert_eq!(known.sign_in("ana@example.test", PASSWORD).await.status, 200, "the owner's browser is known");
    app.clock.forward(Span::from_mins(15));
    assert_eq!(guess(&app, "198.51.100.1", "ana@example.test", PASSWORD).await, 200);
}

#[tokio::test]
async fn one_address_is_bounded_over_all_accounts() {
    let app = proxied().await;
    let mut failed = 0;
    for n in 0..40 {
        failed += usize::from(guess(&app, "192.0.2.1", &format!("user-{n}@example.test"), "wrong guess").await == 401);
    }
    assert_eq!(failed, 30);
    assert_eq!(guess(&app, "192.0.2.2", "ana@example.test", PASSWORD).await, 200, "others sign in");
}

#[tokio::test]
async fn forged_device_mark_is_not_a_known_browser() {
    let app = proxied().await;
    let user = person(&app, "ana@example.test", Some(Role::Owner)).await;
    for n in 0..10 {
        guess(&app, &format!("192.0.2.{n}"), "ana@example.test", "wrong guess").await;
    }
    let device = format!("__Host-chasqui-device={}.{}", user.uuid().simple(), "0".repeat(64));
    let headers = [("cookie", device), ("content-type", "application/json".to_owned())];
    let body = json!({"email": "ana@example.test", "password": PASSWORD}).to_string();
    assert_eq!(send(&app, "POST", "/app/api/session", &headers, Some(body)).await.status, 429);
}

#[tokio::test]
async fn unknown_account_and_wrong_password_get_the_same_answer() {
    let app = proxied().await;
    let browser = Browser::new(&app);
    let mut bodies = Vec::new();
    for email in ["ana@example.test", "absent@example.test", "not an address"] {
        let answer = browser.sign_in(email, "wrong guess").await;
        let mut body = answer.body;
        body["request_id"] = json!(null);
        bodies.push((answer.status, body));
    }
    assert_eq!(bodies[0].0, 401);
    assert!(bodies.iter().all(|one| *one == bodies[0]), "{bodies:?}");
}
