//! Where agents may not go, and where they may.
//!
//! Listeners on loopback stand for the internal network. The policy permits http and their ports, so only the check of
//! addresses (or of the form of the URL) stands between a URL and them.

use crate::server::{self, Server};
use domain::tool_request::{ToolAnswer, ToolRequest};
use gateways::egress::{Egress, EgressPolicy, FailureCode, Resolver};
use serde_json::json;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;

/// Names of the form `a.test=<address>` are written with dashes: `ip-10-0-0-1.test`, and IPv6 as hex groups.
fn scripted(name: &str) -> Vec<IpAddr> {
    let name = name.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return vec![[127, 0, 0, 1].into()];
    }
    let Some(text) = name.strip_suffix(".test") else { return Vec::new() };
    text.split('+')
        .filter_map(|part| {
            let v4 = part.strip_prefix("ip-").map(|part| part.replace('-', "."));
            let v6 = part.strip_prefix("six-").map(|part| part.replace('-', ":"));
            v4.or(v6)?.parse().ok()
        })
        .collect()
}

fn get(url: &str) -> ToolRequest {
    ToolRequest {
        method: String::from("GET"),
        url: url.to_owned(),
        headers: vec![],
        body: None,
        idempotency_key: String::from("k"),
    }
}

/// URLs that must be refused; `PORT` is the canaries'.
const REFUSED: &[&str] = &[
    // Loopback, in all its spellings.
    "http://127.0.0.1:PORT/",
    "http://127.0.0.2:PORT/",
    "http://127.255.255.254:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://017700000001:PORT/",
    "http://0x7F.1:PORT/",
    "http://127.0x0.0.01:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127%2e0%2e0%2e1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127。0。0。1:PORT/",
    "http://１２７.０.０.１:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT\\@example.com/",
    "http:\\\\127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:////127.0.0.1:PORT/",
    " http://127.0.0.1:PORT/ ",
    "http://127.0\n.0.1:PORT/",
    "ht\ttp://127.0.0.1:PORT/",
    "HTTP://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://ＬＯＣＡＬＨＯＳＴ:PORT/",
    "http://agent.localhost:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000::0001]:PORT/",
    // Unspecified: the kernel takes it for loopback.
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://0x0:PORT/",
    "http://0.1.2.3:PORT/",
    "http://[::]:PORT/",
    // IPv4 inside IPv6.
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::7f00:1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2606:4700::5efe:127.0.0.1]:PORT/",
    // Zone ids.
    "http://[fe80::1%25eth0]:PORT/",
    "http://[fe80::1%eth0]:PORT/",
    "http://[::1%25lo]:PORT/",
    // Private, link-local, shared, reserved.
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://198.18.0.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    // Names that lead there.
    "http://ip-127-0-0-1.test:PORT/",
    "http://ip-0-0-0-0.test:PORT/",
    "http://ip-169-254-169-254.test/",
    "http://ip-10-1-2-3.test/",
    "http://six---1.test:PORT/",
    "http://six---ffff-7f00-1.test:PORT/",
    "http://six-fd00--1.test/",
    "https://ip-192-168-0-1.test/",
    "http://ip-8-8-8-8+ip-127-0-0-1.test:PORT/",
    "http://ip-127-0-0-1+ip-8-8-8-8.test:PORT/",
    "http://IP-127-0-0-1.TEST:PORT/",
    "http://ip-127-0-0-1.test.:PORT/",
    // Users, schemes, hosts and ports.
    "http://user@127.0.0.1:PORT/",
    "http://example.com@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@127.0.0.1:PORT/",
    "https://user:pass@ip-8-8-8-8.test/",
    "https://:pass@ip-8-8-8-8.test/",
    "https://ip-8-8-8-8.test:22/",
    "https://ip-8-8-8-8.test:6379/",
    "https://ip-8-8-8-8.test:0/",
    "https://8.8.8.8:25/",
    "https://ours.example/",
    "https://OURS.example./",
    "file:///etc/passwd",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_x",
    "ws://127.0.0.1:PORT/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "dict://127.0.0.1:PORT/",
    "http://",
    "http://:PORT/",
    "http://127.0.0.1:99999/",
    "http://256.256.256.256/",
    "http://127.0.0.1.5:PORT/",
    "http://[::1/",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT/",
    "/etc/passwd",
    "",
    "   ",
];

#[tokio::test]
async fn urls_that_lead_inside_are_refused_and_nobody_is_connected_to() {
    assert!(REFUSED.len() >= 80);
    let answer = |_: &_| server::http(200, &[], "inside");
    let v4 = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = v4.local_addr().unwrap().port();
    let mut canaries = vec![Server::on(v4, answer)];
    if let Ok(v6) = TcpListener::bind(("::1", port)).await {
        canaries.push(Server::on(v6, answer));
    }
    let policy = EgressPolicy {
        allow_http: true,
        extra_ports: vec![port],
        deny_hosts: vec![String::from("ours.example")],
        ..EgressPolicy::default()
    };
    let resolver = Resolver::scripted(|name| match name.trim_end_matches('.') {
        "ours.example" => vec![[8, 8, 8, 8].into()],
        other => scripted(other),
    });
    let egress = Egress::new(policy, resolver);
    for url in REFUSED {
        let url = url.replace("PORT", &port.to_string());
        let ToolAnswer::Failed { code, message } = egress.send(&get(&url)).await else { panic!("{url} was answered") };
        assert!(matches!(code.as_str(), "blocked_address" | "missing_url"), "{url}: {code} {message}");
        assert!(egress.check(&url).await.is_err(), "{url}");
    }
    for canary in &canaries {
        assert_eq!(canary.connections(), 0);
    }
    // The canaries sing when the guard is open: otherwise this test would prove nothing.
    let open = EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()], ..EgressPolicy::default() };
    Egress::new(open, Resolver::System).send(&get(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(canaries[0].connections(), 1);
}

#[tokio::test]
async fn the_systems_own_localhost_is_refused_too() {
    let canary = Server::start(|_| server::http(200, &[], "")).await;
    let policy = EgressPolicy { allow_http: true, extra_ports: vec![canary.port], ..EgressPolicy::default() };
    let egress = Egress::new(policy, Resolver::System);
    let answer = egress.send(&get(&format!("http://localhost:{}/", canary.port))).await;
    assert!(matches!(answer, ToolAnswer::Failed { code, .. } if code == "blocked_address"));
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn public_servers_may_be_reached() {
    let egress = Egress::new(EgressPolicy::default(), Resolver::scripted(scripted));
    for (url, address) in [
        ("https://ip-8-8-8-8.test/", "8.8.8.8:443"),
        ("https://ip-8-8-8-8.test:443/a?b=c#d", "8.8.8.8:443"),
        ("https://ip-8-8-8-8.test:8443/", "8.8.8.8:8443"),
        ("https://ip-8-8-8-8.test:8080/", "8.8.8.8:8080"),
        ("https://ip-8-8-8-8.test:80/", "8.8.8.8:80"),
        ("HTTPS://IP-8-8-8-8.TEST/", "8.8.8.8:443"),
        ("https://ip-8-8-8-8.test./", "8.8.8.8:443"),
        ("https://1.1.1.1/", "1.1.1.1:443"),
        ("https://0x08080808/", "8.8.8.8:443"),
        ("https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]:443"),
        ("https://six-2a00-1450--8a.test/", "[2a00:1450::8a]:443"),
        ("https://ip-9-255-255-255.test/", "9.255.255.255:443"),
        ("https://ip-172-15-0-1.test/", "172.15.0.1:443"),
        ("https://ip-172-32-0-1.test/", "172.32.0.1:443"),
        ("https://ip-100-128-0-1.test/", "100.128.0.1:443"),
    ] {
        let target = egress.check(url).await.unwrap();
        assert_eq!(target.addresses, [address.parse().unwrap()], "{url}");
    }
    let both = egress.check("https://ip-8-8-8-8+ip-1-1-1-1.test/").await.unwrap();
    assert_eq!(both.addresses.len(), 2);
}

#[tokio::test]
async fn http_to_public_servers_needs_leave() {
    let url = "http://ip-8-8-8-8.test/";
    let refusal = Egress::new(EgressPolicy::default(), Resolver::scripted(scripted)).check(url).await.unwrap_err();
    assert_eq!(refusal.code, FailureCode::BlockedAddress);
    let policy = EgressPolicy { allow_http: true, ..EgressPolicy::default() };
    Egress::new(policy, Resolver::scripted(scripted)).check(url).await.unwrap();
}

#[tokio::test]
async fn networks_that_the_operator_allows_are_reached_over_http_and_on_any_port() {
    let server = Server::start(|_| server::json(200, &json!({"ok": true}))).await;
    let policy = EgressPolicy {
        allow: vec!["127.0.0.1/32".parse().unwrap(), "10.1.0.0/16".parse().unwrap()],
        ..EgressPolicy::default()
    };
    let egress = Egress::new(policy, Resolver::scripted(scripted));
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
    // An allowed address lends its freedom to no other address of the same name.
    assert!(egress.check("https://ip-127-0-0-1+ip-10-2-0-1.test/").await.is_err());
    assert!(egress.check("https://ip-127-0-0-1+ip-8-8-8-8.test:22/").await.is_err());
    assert!(egress.check("http://ip-127-0-0-1+ip-8-8-8-8.test/").await.is_err());
}

#[tokio::test]
async fn a_name_is_looked_up_once_so_rebinding_wins_nothing() {
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
    // The next request asks again, and is refused.
    let answer = egress.send(&get(&url)).await;
    assert!(matches!(answer, ToolAnswer::Failed { code, .. } if code == "blocked_address"));
    assert_eq!((lookups.load(Ordering::SeqCst), inside.connections()), (2, 0));
}

#[tokio::test]
async fn a_refusal_names_the_host_and_no_address() {
    let egress = Egress::new(EgressPolicy::default(), Resolver::scripted(scripted));
    let refusal = egress.check("https://ip-10-1-2-3.test/").await.unwrap_err();
    assert_eq!(refusal.message, "ip-10-1-2-3.test is not a public address (private)");
    let unknown = egress.check("https://nowhere.example/").await.unwrap_err();
    assert_eq!(unknown.code, FailureCode::ConnectError);
}
