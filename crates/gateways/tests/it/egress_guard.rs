//! The operator's policy and the texts of refusals. Attacks are in `ssrf`.

use crate::{
    server::{self, Server},
    ssrf::{dns, get},
};
use domain::tool_request::ToolAnswer;
use gateways::egress::{Egress, EgressPolicy, FailureCode, Resolver};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

#[tokio::test]
async fn system_localhost_is_refused() {
    let canary = Server::start(|_| server::http(200, &[], "")).await;
    let policy = EgressPolicy { allow_http: true, extra_ports: vec![canary.port], ..EgressPolicy::default() };
    let egress = Egress::new(policy, Resolver::System);
    let answer = egress.send(&get(&format!("http://localhost:{}/", canary.port))).await;
    assert!(matches!(answer, ToolAnswer::Failed { code, .. } if code == "blocked_address"));
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn all_addresses_of_a_name_are_kept() {
    let egress = Egress::new(EgressPolicy::default(), Resolver::scripted(dns));
    let both = egress.check("https://ip-8-8-8-8+ip-1-1-1-1.test/").await.unwrap();
    assert_eq!(both.addresses.len(), 2);
}

#[tokio::test]
async fn http_to_public_servers_needs_permission() {
    let url = "http://ip-8-8-8-8.test/";
    let refusal = Egress::new(EgressPolicy::default(), Resolver::scripted(dns)).check(url).await.unwrap_err();
    assert_eq!(refusal.code, FailureCode::BlockedAddress);
    let policy = EgressPolicy { allow_http: true, ..EgressPolicy::default() };
    Egress::new(policy, Resolver::scripted(dns)).check(url).await.unwrap();
}

#[tokio::test]
async fn allowed_networks_are_reached_over_http_on_any_port() {
    let server = Server::start(|_| server::json(200, &json!({"ok": true}))).await;
    let policy = EgressPolicy {
        allow: vec!["127.0.0.1/32".parse().unwrap(), "10.1.0.0/16".parse().unwrap()],
        ..EgressPolicy::default()
    };
    let egress = Egress::new(policy, Resolver::scripted(dns));
    let urls = [
        "http://127.0.0.1:PORT/",
        "http://127.1:PORT/",
        "http://2130706433:PORT/",
        "http://0x7f000001:PORT/",
        "http://0177.0.0.1:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://ip-127-0-0-1.test:PORT/",
        "http://ip-127-0-0-1.test:PORT",
        "http://IP-127-0-0-1.test:PORT/a/b?c=d",
        "http://ip-127-0-0-1.test.:PORT/",
        "http://localhost:PORT/",
        "http://agent.localhost:PORT/é?ü",
        "http://six---ffff-127.0.0.1.test:PORT/",
    ];
    for url in urls {
        let url = url.replace("PORT", &server.port.to_string());
        let answer = egress.send(&get(&url)).await;
        assert!(matches!(answer, ToolAnswer::Answered { status: 200, .. }), "{url}: {answer:?}");
    }
    assert_eq!(server.connections(), urls.len());
    egress.check("http://10.1.2.3:5432/").await.unwrap();
    for outside in ["http://127.0.0.2:PORT/", "http://10.2.0.1/", "http://[::1]:PORT/"] {
        let url = outside.replace("PORT", &server.port.to_string());
        assert!(egress.check(&url).await.is_err(), "{url}");
    }
    // An allowed address does not allow the other addresses of its name.
    assert!(egress.check("https://ip-127-0-0-1+ip-10-2-0-1.test/").await.is_err());
    assert!(egress.check("https://ip-127-0-0-1+ip-8-8-8-8.test:22/").await.is_err());
    assert!(egress.check("http://ip-127-0-0-1+ip-8-8-8-8.test/").await.is_err());
}

#[tokio::test]
async fn name_is_resolved_once_so_rebinding_fails() {
    let good = Server::start(|_| server::http(200, &[], "good")).await;
    let inside = TcpListener::bind(("127.0.0.2", good.port)).await.unwrap();
    let inside = Server::on(inside, |_| server::http(200, &[], "inside"));
    let lookups = Arc::new(AtomicUsize::new(0));
    let counter = lookups.clone();
    let resolver = Resolver::scripted(move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        vec![[127, 0, 0, if first { 1 } else { 2 }].into()]
    });
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..EgressPolicy::default() };
    let egress = Egress::new(policy, resolver);
    let url = format!("http://rebind.test:{}/", good.port);
    let answer = egress.send(&get(&url)).await;
    assert!(matches!(answer, ToolAnswer::Answered { status: 200, .. }), "{answer:?}");
    assert_eq!((lookups.load(Ordering::SeqCst), good.connections()), (1, 1));
    // The next request resolves again and is refused.
    let answer = egress.send(&get(&url)).await;
    assert!(matches!(answer, ToolAnswer::Failed { code, .. } if code == "blocked_address"));
    assert_eq!((lookups.load(Ordering::SeqCst), inside.connections()), (2, 0));
}

#[tokio::test]
async fn refusal_names_the_host_without_address() {
    let egress = Egress::new(EgressPolicy::default(), Resolver::scripted(dns));
    let refusal = egress.check("https://ip-10-1-2-3.test/").await.unwrap_err();
    assert_eq!(refusal.message, "ip-10-1-2-3.test is not a public address (private)");
    let unknown = egress.check("https://nowhere.example/").await.unwrap_err();
    assert_eq!(unknown.code, FailureCode::ConnectError);
}
