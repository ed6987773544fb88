//! Redirects: each hop is checked like the first.

use crate::server::{self, Reply, Request, Server};
use domain::tool_request::{ToolAnswer, ToolRequest};
use gateways::egress::{Egress, EgressPolicy, Resolver};
use serde_json::json;

fn egress() -> Egress {
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..EgressPolicy::default() };
    Egress::new(policy, Resolver::scripted(|_| vec![[127, 0, 0, 1].into()]))
}

fn request(method: &str, url: String) -> ToolRequest {
    ToolRequest {
        method: method.to_owned(),
        url,
        headers: vec![
            (String::from("Authorization"), String::from("Bearer secret")),
            (String::from("Cookie"), String::from("session=secret")),
            (String::from("X-Api-Key"), String::from("secret")),
            (String::from("Accept"), String::from("application/json")),
        ],
        body: (method != "GET").then(|| json!({"a": 1})),
        idempotency_key: String::from("k"),
        mcp: None,
    }
}

fn to(status: u16, location: &str) -> Reply {
    server::http(status, &[("Location", location)], "moved")
}

async fn answer_of(location: String) -> ToolAnswer {
    let server = Server::start(move |_| to(302, &location)).await;
    egress().send(&request("GET", server.url("/"))).await
}

fn code(answer: ToolAnswer) -> String {
    match answer {
        ToolAnswer::Failed { code, .. } => code,
        ToolAnswer::Answered { status, .. } => status.to_string(),
    }
}

#[tokio::test]
async fn redirect_to_a_private_address_is_refused() {
    for location in [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://user:pass@127.0.0.1/",
        "//169.254.169.254/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
    ] {
        assert_eq!(code(answer_of(location.to_owned()).await), "blocked_address", "{location}");
    }
    assert_eq!(code(answer_of(String::from("http://[")).await), "blocked_address");
    assert_eq!(code(answer_of(String::from("http://shop.test/\u{e9}")).await), "bad_response");
}

#[tokio::test]
async fn name_is_checked_at_each_hop() {
    let server = Server::start(|_| to(302, "/again")).await;
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let resolver = Resolver::scripted(move |_| {
        let hop = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        vec![[127, 0, 0, if hop == 0 { 1 } else { 2 }].into()]
    });
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..EgressPolicy::default() };
    let url = format!("http://rebind.test:{}/", server.port);
    let answer = Egress::new(policy, resolver).send(&request("GET", url)).await;
    assert_eq!(code(answer), "blocked_address");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn at_most_three_redirects_are_followed() {
    let hops = |last: usize| {
        move |request: &Request| {
            let at: usize = request.line.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
            if at < last { to(302, &format!("{}", at + 1)) } else { server::http(200, &[], "1") }
        }
    };
    let three = Server::start(hops(3)).await;
    assert_eq!(code(egress().send(&request("GET", three.url("/0"))).await), "200");
    assert_eq!(three.connections(), 4);
    let four = Server::start(hops(4)).await;
    assert_eq!(code(egress().send(&request("GET", four.url("/0"))).await), "too_many_redirects");
    assert_eq!(four.connections(), 4);
}

/// Returns the request that the target of a redirect received.
async fn seen_by_the_second(status: u16, method: &str, same_server: bool) -> Request {
    let second = Server::start(|_| server::http(200, &[], "1")).await;
    let location = if same_server { String::from("/next") } else { second.url("/next") };
    let first =
        Server::start(
            move |request| {
                if request.line.contains("/next") { server::http(200, &[], "1") } else { to(status, &location) }
            },
        )
        .await;
    let answer = egress().send(&request(method, first.url("/first"))).await;
    assert_eq!(code(answer), "200");
    let last = if same_server { &first } else { &second };
    last.requests().pop().unwrap()
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let same = seen_by_the_second(307, "POST", true).await;
    for name in ["authorization", "cookie", "x-api-key", "accept", "idempotency-key"] {
        assert!(same.header(name).is_some(), "{name}");
    }
    let other = seen_by_the_second(307, "POST", false).await;
    for name in ["authorization", "cookie", "x-api-key"] {
        assert_eq!(other.header(name), None, "{name}");
    }
    assert_eq!(other.header("accept"), Some("application/json"));
    assert_eq!(other.header("idempotency-key"), Some("k"));
}

#[tokio::test]
async fn body_of_a_request_with_secrets_stays_with_its_server() {
    let second = Server::start(|_| server::http(200, &[], "1")).await;
    for (status, method, holds_secrets, result) in [
        (307, "POST", true, "blocked_address"),
        (308, "PUT", true, "blocked_address"),
        (302, "PUT", true, "blocked_address"),
        // The method becomes GET, without the body.
        (303, "POST", true, "200"),
        (307, "GET", true, "200"),
        (307, "POST", false, "200"),
    ] {
        let location = second.url("/next");
        let first = Server::start(move |_| to(status, &location)).await;
        let before = second.requests().len();
        let answer = egress().send_as(&request(method, first.url("/first")), holds_secrets).await;
        assert_eq!(code(answer), result, "{status} {method} {holds_secrets}");
        assert_eq!(second.requests().len() - before, usize::from(result == "200"), "{status} {method}");
    }
}

#[tokio::test]
async fn other_name_of_the_same_machine_is_another_server() {
    let server = Server::start(|request| {
        let elsewhere = request.header("host").unwrap().replace("one.test", "two.test");
        if request.line.contains("/next") {
            server::http(200, &[], "1")
        } else {
            to(302, &format!("http://{elsewhere}/next"))
        }
    })
    .await;
    let url = format!("http://one.test:{}/", server.port);
    assert_eq!(code(egress().send(&request("GET", url)).await), "200");
    let [first, second] = server.requests().try_into().unwrap();
    assert!(first.header("authorization").is_some());
    assert_eq!(second.header("authorization"), None);
    assert!(second.header("host").unwrap().starts_with("two.test"));
}

#[tokio::test]
async fn redirected_methods_and_bodies_follow_browser_rules() {
    for (status, method, expected, with_body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (302, "PUT", "PUT", true),
        (307, "POST", "POST", true),
        (308, "PATCH", "PATCH", true),
        (302, "GET", "GET", false),
    ] {
        let seen = seen_by_the_second(status, method, true).await;
        assert_eq!(seen.line, format!("{expected} /next HTTP/1.1"), "{status} {method}");
        assert_eq!(!seen.body.is_empty(), with_body, "{status} {method}");
        assert_eq!(seen.header("content-type").is_some(), with_body, "{status} {method}");
    }
}

#[tokio::test]
async fn redirect_without_location_is_a_response() {
    for status in [300, 302, 304] {
        let server = Server::start(move |_| server::http(status, &[], "")).await;
        let answer = egress().send(&request("GET", server.url("/"))).await;
        assert_eq!(code(answer), status.to_string());
    }
}
