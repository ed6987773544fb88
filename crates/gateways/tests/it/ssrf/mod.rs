//! Attacks through agents' URLs (SSRF) against listeners that count connections.
//!
//! Canaries listen on private addresses of this machine. The policy permits http and their port, so
//! only the checks of addresses and URL forms protect them. HOME, `127.0.0.5`, is a network that
//! the operator permits: redirects and rebinding names start there.

mod bodies;
mod permitted;
mod refused;

use crate::server::{self, Request, Server};
use domain::tool_request::{ToolAnswer, ToolRequest};
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use std::{
    net::{IpAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

pub const HOME: [u8; 4] = [127, 0, 0, 5];

pub fn get(url: &str) -> ToolRequest {
    ToolRequest {
        method: String::from("GET"),
        url: url.to_owned(),
        headers: vec![],
        body: None,
        idempotency_key: String::from("k"),
        mcp: None,
    }
}

/// Scripted DNS: `ip-10-0-0-1.test` and `six-fd00--1.test` resolve to that address; `+` joins
/// several.
pub fn dns(name: &str) -> Vec<IpAddr> {
    let name = name.trim_end_matches('.');
    match name {
        "ours.example" => return vec![[8, 8, 8, 8].into()],
        "metadata.google.internal" => return vec![[169, 254, 169, 254].into()],
        "kubernetes.default.svc" => return vec![[10, 96, 0, 1].into()],
        _ if name == "localhost" || name.ends_with(".localhost") => return vec![[127, 0, 0, 1].into()],
        _ => {}
    }
    let Some(text) = name.strip_suffix(".test") else { return Vec::new() };
    let text = text.rsplit('.').next().filter(|part| part.starts_with("ip-")).unwrap_or(text);
    text.split('+')
        .filter_map(|part| {
            let v4 = part.strip_prefix("ip-").map(|part| part.replace('-', "."));
            let v6 = part.strip_prefix("six-").map(|part| part.replace('-', ":"));
            v4.or(v6)?.parse().ok()
        })
        .collect()
}

struct Canaries {
    port: u16,
    servers: Vec<Server>,
}

impl Canaries {
    async fn new() -> Self {
        let answer = |_: &Request| server::http(200, &[], "inside");
        let first = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut servers = vec![Server::on(first, answer)];
        let others = ["127.0.0.2", "127.255.255.254", "::1"].map(|text| text.parse().unwrap());
        for address in others.into_iter().chain(own_address()) {
            // A machine without IPv6 needs no canary there.
            if let Ok(listener) = TcpListener::bind((address, port)).await {
                servers.push(Server::on(listener, answer));
            }
        }
        Self { port, servers }
    }

    fn connections(&self) -> usize {
        self.servers.iter().map(Server::connections).sum()
    }

    fn policy(&self) -> EgressPolicy {
        EgressPolicy {
            allow: vec!["127.0.0.5/32".parse().unwrap()],
            allow_http: true,
            extra_ports: vec![self.port],
            deny_hosts: vec![String::from("ours.example")],
            limits: Limits { connect: Duration::from_secs(2), total: Duration::from_secs(10), ..Limits::default() },
        }
    }

    fn fill(&self, text: &str, home: u16) -> String {
        text.replace("HOMEPORT", &home.to_string())
            .replace("HOME", &format!("127.0.0.5:{home}"))
            .replace("PORT", &self.port.to_string())
    }
}

/// A permitted server that redirects along a chain, one step per request, and then responds.
async fn home(canaries: &Canaries, chain: &[&str]) -> (Server, String) {
    let listener = TcpListener::bind((IpAddr::from(HOME), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let chain: Vec<String> = chain.iter().map(|hop| canaries.fill(hop, port)).collect();
    let at = AtomicUsize::new(0);
    let server = Server::on(listener, move |_| match chain.get(at.fetch_add(1, Ordering::SeqCst)) {
        Some(location) => server::http(302, &[("Location", location)], "moved"),
        None => server::http(200, &[], "arrived"),
    });
    (server, format!("127.0.0.5:{port}"))
}

fn code(answer: &ToolAnswer) -> &str {
    match answer {
        ToolAnswer::Failed { code, .. } => code,
        ToolAnswer::Answered { .. } => "answered",
    }
}

/// This machine's address in its own network, if it has one. Sends no packet.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| gateways::egress::refusal_of(*ip).is_some())
}

/// Runs all refused forms and the permitted controls.
#[tokio::test]
async fn no_trick_reaches_private_addresses_and_permitted_urls_work() {
    let canaries = Canaries::new().await;
    let mut wrong = Vec::new();
    let refused = refused_urls(&canaries, &mut wrong).await
        + refused_redirects(&canaries, &mut wrong).await
        + refused_rebinding(&canaries, &mut wrong).await;
    let connections = canaries.connections();
    let worked = answered(&canaries, &mut wrong).await + public(&canaries, &mut wrong).await;
    eprintln!("refused {refused}, connections to canaries {connections}, permitted controls {worked}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(connections, 0);
    assert!(refused >= 150 && worked >= 50, "{refused} {worked}");
    // Without the guard the canaries are reached; otherwise this test would prove nothing.
    let open = EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()], ..canaries.policy() };
    Egress::new(open, Resolver::System).send(&get(&format!("http://127.0.0.1:{}/", canaries.port))).await;
    assert_eq!(canaries.connections(), connections + 1);
}

async fn refused_urls(canaries: &Canaries, wrong: &mut Vec<String>) -> usize {
    let egress = Egress::new(canaries.policy(), Resolver::scripted(dns));
    let own = own_address().map(|address| format!("http://{address}:PORT/"));
    let urls: Vec<&str> = refused::URLS.iter().copied().chain(own.as_deref()).collect();
    for url in &urls {
        let url = canaries.fill(url, 0);
        let answer = egress.send(&get(&url)).await;
        if code(&answer) != "blocked_address" || egress.check(&url).await.is_ok() {
            wrong.push(format!("{url}: {answer:?}"));
        }
    }
    urls.len()
}

async fn refused_redirects(canaries: &Canaries, wrong: &mut Vec<String>) -> usize {
    for chain in refused::REDIRECTS {
        let (server, host) = home(canaries, chain).await;
        let egress = Egress::new(canaries.policy(), Resolver::scripted(dns));
        let answer = egress.send(&get(&format!("http://{host}/"))).await;
        if code(&answer) != "blocked_address" || server.connections() != chain.len() {
            wrong.push(format!("redirected to {chain:?}: {answer:?} after {}", server.connections()));
        }
    }
    refused::REDIRECTS.len()
}

async fn refused_rebinding(canaries: &Canaries, wrong: &mut Vec<String>) -> usize {
    // On the canaries' port, so that a second lookup would reach one of them.
    let listener = TcpListener::bind((IpAddr::from(HOME), canaries.port)).await.unwrap();
    let again = format!("http://rebind.test:{}/again", canaries.port);
    let location = again.clone();
    let _home = Server::on(listener, move |_| server::http(302, &[("Location", &location)], ""));
    for answers in refused::REBINDING {
        let lookups = Arc::new(AtomicUsize::new(0));
        let counter = lookups.clone();
        let resolver = Resolver::scripted(move |_| {
            let at = counter.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            answers[at].iter().map(|address| address.parse().unwrap()).collect()
        });
        let answer = Egress::new(canaries.policy(), resolver).send(&get(&again)).await;
        // Each hop resolved once.
        let looked = lookups.load(Ordering::SeqCst);
        let expected = answers.iter().position(|answer| answer != &["127.0.0.5"]).map(|at| at + 1).unwrap_or(0);
        if code(&answer) != "blocked_address" || looked != expected {
            wrong.push(format!("name answering {answers:?}: {answer:?} after {looked} look-ups"));
        }
    }
    refused::REBINDING.len()
}

async fn answered(canaries: &Canaries, wrong: &mut Vec<String>) -> usize {
    for url in permitted::ANSWERED {
        let (server, host) = home(canaries, &[]).await;
        let url = canaries.fill(url, server.port);
        let egress = Egress::new(canaries.policy(), Resolver::scripted(dns));
        let answer = egress.send(&get(&url)).await;
        if code(&answer) != "answered" || server.connections() != 1 {
            wrong.push(format!("{url} at {host}: {answer:?}"));
        }
    }
    for chain in permitted::REDIRECTS {
        let (server, host) = home(canaries, chain).await;
        let egress = Egress::new(canaries.policy(), Resolver::scripted(dns));
        let answer = egress.send(&get(&format!("http://{host}/a/a"))).await;
        if code(&answer) != "answered" || server.connections() != chain.len() + 1 {
            wrong.push(format!("redirected to {chain:?}: {answer:?} after {}", server.connections()));
        }
    }
    permitted::ANSWERED.len() + permitted::REDIRECTS.len()
}

async fn public(canaries: &Canaries, wrong: &mut Vec<String>) -> usize {
    let egress = Egress::new(canaries.policy(), Resolver::scripted(dns));
    for (url, address) in permitted::PUBLIC {
        let target = egress.check(url).await;
        if !target.as_ref().is_ok_and(|target| target.addresses == [address.parse().unwrap()]) {
            wrong.push(format!("{url}: {target:?}"));
        }
    }
    permitted::PUBLIC.len()
}

#[tokio::test]
async fn text_without_url_is_missing_url() {
    let egress = Egress::new(EgressPolicy::default(), Resolver::scripted(dns));
    for url in ["", "   ", "http://", "http://:80/", "//127.0.0.1/", "127.0.0.1:80/", "/etc/passwd", "orders"] {
        assert_eq!(code(&egress.send(&get(url)).await), "missing_url", "{url}");
    }
}
