//! Cost of lists, filtered lists, reads, creations and changes over the REST API, in a small and a
//! large project.
//!
//! The records are contacts, fifty to a customer. They are stored with the store's own functions
//! while no server runs, so counters and indexes are right. The report includes the ratio of the
//! p99 latencies of both projects: cost should depend on the request, not on the size of the
//! project.

use crate::{
    contacts::Contacts,
    figures::Figures,
    samples::{Samples, closed_loop},
    server::{Server, Settings},
    setup,
    world::World,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

pub const SMALL: u64 = 10_000;
const CLIENTS: [usize; 3] = [1, 16, 64];
const KINDS: [Kind; 5] = [Kind::List, Kind::Filtered, Kind::Get, Kind::Create, Kind::Patch];
/// Measurements per installation and kind; even, so that each installation goes first equally
/// often.
const SLICES: usize = 4;
/// Repetitions of each slow request.
const SLOW: usize = 7;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    List,
    Filtered,
    Get,
    Create,
    Patch,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Filtered => "filtered list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Patch => "patch",
        }
    }
}

struct Load {
    server: Server,
    http: reqwest::Client,
    key: String,
    contacts: Contacts,
    /// Counter of requests, so that no two clients use the same record.
    turn: AtomicU64,
}

/// Restriction of the measurement.
#[derive(Default)]
pub struct Only {
    /// One kind, e.g. `patch`.
    pub kind: Option<String>,
    /// Number of concurrent clients.
    pub clients: Option<usize>,
}

/// Measures the API with 10,000 contacts and with `rows`, in two installations. They are measured
/// in turn, so that other load on the machine affects both.
pub async fn run(settings: &Settings, seconds: Duration, rows: u64, only: &Only, figures: &mut Figures) {
    let world = World::start().await;
    let small = Load::start(&settings.small(), &world, SMALL, figures).await;
    let large = Load::start(settings, &world, rows, figures).await;
    let loads = [(&small, size(SMALL)), (&large, size(rows))];
    let mut ratios = Vec::new();
    for clients in CLIENTS.into_iter().filter(|clients| only.clients.is_none_or(|only| only == *clients)) {
        for kind in KINDS.into_iter().filter(|kind| only.kind.as_ref().is_none_or(|only| only == kind.name())) {
            let mut took = [Samples::default(), Samples::default()];
            for slice in 0..SLICES {
                for place in [slice % 2, 1 - slice % 2] {
                    took[place].append(loads[place].0.closed(kind, clients, seconds / SLICES as u32).await);
                }
            }
            let what = format!("{}, {clients} at a time", kind.name());
            let p99 = [0, 1].map(|place| {
                let (name, took) = (format!("{what}, {}", loads[place].1), &mut took[place]);
                figures.add(&name, "done", took.len() as f64 / seconds.as_secs_f64(), "/s");
                figures.add(&name, "p50", took.percentile(50.0), "ms");
                figures.add(&name, "p99", took.percentile(99.0), "ms");
                took.percentile(99.0)
            });
            ratios.push((what, p99[1] / p99[0]));
        }
    }
    for (load, size) in loads {
        load.measure_large_lists(&size, figures).await;
        figures.add(&format!("{size} contacts"), "memory", load.server.memory_mib("VmRSS"), "MiB");
    }
    for (what, ratio) in ratios {
        figures.add(&what, "p99, large to small", ratio, "");
    }
    for load in [small, large] {
        let Ok(load) = Arc::try_unwrap(load) else { panic!("a client is still running") };
        load.server.stop().await;
    }
}

fn size(rows: u64) -> String {
    let text = rows.to_string();
    let groups: Vec<&str> =
        text.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

impl Load {
    /// Starts a warmed-up server with a project of `rows` contacts.
    async fn start(settings: &Settings, world: &World, rows: u64, figures: &mut Figures) -> Arc<Self> {
        let (project, key) = setup::project(settings, world.url(), "Bench");
        let mut contacts = Contacts::new(project);
        let began = Instant::now();
        contacts.fill(settings, rows).await;
        figures.add(&format!("{} contacts", size(rows)), "stored in", began.elapsed().as_secs_f64(), "s");
        let server = Server::start(settings, world.url()).await;
        let load = Arc::new(Self { server, http: world.http().clone(), key, contacts, turn: AtomicU64::new(0) });
        load.closed(Kind::List, 4, Duration::from_secs(1)).await;
        load
    }

    async fn closed(self: &Arc<Self>, kind: Kind, clients: usize, length: Duration) -> Samples {
        closed_loop(self, clients, length, move |load| async move {
            let began = Instant::now();
            load.one(kind).await;
            began.elapsed()
        })
        .await
    }

    async fn one(&self, kind: Kind) {
        let turn = self.turn.fetch_add(1, Relaxed);
        let contact = self.contacts.any(turn);
        match kind {
            Kind::List => {
                let page = self.call(Method::GET, &format!("?page={}", 1 + turn % 5), None).await;
                assert_eq!(page["data"].as_array().map(Vec::len), Some(20));
            }
            Kind::Filtered => {
                let customer = self.contacts.customer_of(contact);
                let page = self.call(Method::GET, &format!("?q[customer_id_eq]={customer}"), None).await;
                assert_eq!(page["meta"]["total_count"], Contacts::OF_CUSTOMER);
            }
            Kind::Get => {
                let found = self.call(Method::GET, &format!("/{}", self.contacts.id(contact)), None).await;
                assert_eq!(found["data"]["wa_id"], Contacts::wa_id(contact));
            }
            Kind::Create => {
                let new = json!({"contact": {"wa_id": self.contacts.new_wa_id(), "profile_name": "New"}});
                self.call(Method::POST, "", Some(new)).await;
            }
            Kind::Patch => {
                let change = json!({"contact": {"profile_name": format!("Ana {turn}")}});
                self.call(Method::PATCH, &format!("/{}", self.contacts.id(contact)), Some(change)).await;
            }
        }
    }

    /// Measures what grows with the project: exact counts of broad filters, and late pages.
    async fn measure_large_lists(&self, size: &str, figures: &mut Figures) {
        let half = Contacts::created_iso(self.contacts.len() / 2);
        let last = self.contacts.len() / 100;
        let things = [
            ("half of them by time, counted", format!("?q[created_at_gteq]={half}")),
            ("all of them by a text, counted", "?q[profile_name_cont]=an".to_owned()),
            ("none of them by a text, counted", "?q[profile_name_cont]=zzz".to_owned()),
            ("the last page of 100", format!("?per_page=100&page={last}")),
        ];
        for (what, query) in things {
            let mut samples = Samples::default();
            for _ in 0..SLOW {
                let began = Instant::now();
                self.call(Method::GET, &query, None).await;
                samples.add(began.elapsed());
            }
            figures.add(&format!("{size} contacts"), what, samples.percentile(50.0), "ms");
        }
    }

    async fn call(&self, method: Method, rest: &str, body: Option<Value>) -> Value {
        let url = format!("{}/api/v1/whatsapp_contacts{rest}", self.server.url);
        let mut request = self.http.request(method, url).header("X-API-Key", &self.key);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(matches!(status, StatusCode::OK | StatusCode::CREATED), "{rest}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}
