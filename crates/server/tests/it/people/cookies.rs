//! Flags of the session's cookie by the way on which the server is reached.

use super::support::{PASSWORD, person, send};
use domain::role::Role;
use serde_json::json;
use testkit::TestApp;

async fn cookie(app: &TestApp, host: &str) -> String {
    let headers = [("host", host.to_owned()), ("content-type", "application/json".into())];
    let body = json!({"email": "ana@example.test", "password": PASSWORD}).to_string();
    let answer = send(app, "POST", "/app/api/session", &headers, Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.headers["set-cookie"].lines().next().unwrap().to_owned()
}

fn flags(cookie: &str) -> (String, Vec<String>) {
    let mut parts = cookie.split("; ").map(str::to_owned);
    (parts.next().unwrap().split('=').next().unwrap().to_owned(), parts.collect())
}

const ALWAYS: [&str; 4] = ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"];

#[tokio::test]
async fn loopback_gets_a_secure_host_cookie_and_other_plain_hosts_a_plain_one() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let (expected, secure) = (ALWAYS.map(str::to_owned).to_vec(), ["Secure".to_owned()]);
    for host in ["127.0.0.1:4000", "localhost", "LOCALHOST:4000", "[::1]:4000", "127.8.8.8"] {
        let (name, rest) = flags(&cookie(&app, host).await);
        assert_eq!((name.as_str(), &rest[..4], &rest[4..]), ("__Host-chasqui", &expected[..], &secure[..]), "{host}");
    }
    for host in ["192.0.2.7:4000", "chat.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        let (name, rest) = flags(&cookie(&app, host).await);
        assert_eq!((name.as_str(), rest), ("chasqui", expected.clone()), "{host}");
    }
}

#[tokio::test]
async fn https_gets_a_secure_host_cookie_and_the_plain_one_opens_nothing() {
    let app = TestApp::with(true, |config| config.public_url = Some("https://chat.example".into())).await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let set = cookie(&app, "chat.example").await;
    let (name, rest) = flags(&set);
    assert_eq!((name.as_str(), rest.last().map(String::as_str)), ("__Host-chasqui", Some("Secure")));
    let secret = set.split_once('=').unwrap().1.split(';').next().unwrap();
    for (name, expected) in [("__Host-chasqui", 200), ("chasqui", 401)] {
        let headers = [("host", "chat.example".to_owned()), ("cookie", format!("{name}={secret}"))];
        assert_eq!(send(&app, "GET", "/app/api/me", &headers, None).await.status, expected, "{name}");
    }
    let stored = {
        let mut reader = app.app.context().store.read().await.unwrap();
        store::sessions::find(&mut reader.conn(), secret.as_bytes()).await.unwrap()
    };
    assert!(stored.is_none(), "only a hash is stored");
}
