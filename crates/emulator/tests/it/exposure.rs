//! Requests that an emulator refuses: of web pages, and of strangers without its token.

use emulator::{Config, Credentials, Emulator, Exposure, World};
use reqwest::Method;

use crate::harness::http;

async fn status(emulator: &Emulator, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = http().request(method, format!("{}{path}", emulator.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn web_pages_of_other_sites_are_refused() {
    let emulator = emulator::start(Config::default()).await.unwrap();
    let own = emulator.url();
    for (headers, expected) in [
        (vec![], 200),
        (vec![("origin", own.as_str())], 200),
        (vec![("host", "localhost:4100")], 200),
        (vec![("origin", "http://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("host", "evil.example")], 403),
        (vec![("host", "evil.example:4100"), ("origin", "http://evil.example:4100")], 403),
    ] {
        assert_eq!(status(&emulator, Method::GET, "/_emulator/v1/state", &headers).await, expected, "{headers:?}");
    }
    let graph = format!("/v25.0/{}", emulator::PHONE_NUMBER_ID);
    let token = format!("Bearer {}", emulator::ACCESS_TOKEN);
    let authorized = ("authorization", token.as_str());
    assert_eq!(status(&emulator, Method::GET, &graph, &[authorized]).await, 200);
    assert_eq!(status(&emulator, Method::GET, &graph, &[authorized, ("host", "evil.example")]).await, 403);
}

#[tokio::test]
async fn exposed_emulator_needs_its_token_everywhere() {
    let credentials = Credentials::of("0123456789abcdef");
    let exposure = Exposure { token: Some(credentials.token.clone()), hosts: vec!["emulator".into()] };
    let world = World::default().with(&credentials);
    let emulator = emulator::start(Config { exposure, world, ..Config::default() }).await.unwrap();
    let bearer = |token: &str| format!("Bearer {token}");
    let (right, public) = (bearer("0123456789abcdef"), bearer(emulator::ACCESS_TOKEN));
    let graph = format!("/v25.0/{}", emulator::PHONE_NUMBER_ID);
    for path in ["/_emulator/v1/health", "/_emulator/v1/state", "/_emulator/v1/none", graph.as_str()] {
        let refused = async |headers: &[(&str, &str)]| {
            let status = status(&emulator, Method::GET, path, headers).await;
            assert!(matches!(status, 400 | 401), "{path} {headers:?}: {status}");
        };
        refused(&[]).await;
        refused(&[("authorization", &public)]).await;
        refused(&[("authorization", "0123456789abcdef")]).await;
        refused(&[("authorization", &bearer("0123456789abcdeg"))]).await;
        let answered = status(&emulator, Method::GET, path, &[("authorization", &right), ("host", "emulator:1")]).await;
        assert_eq!(answered, if path.ends_with("none") { 404 } else { 200 }, "{path}");
    }
    assert_eq!(status(&emulator, Method::POST, "/_emulator/v1/reset", &[]).await, 401);
}
