//! Turns per second with and without an outgoing webhook, in turns on one server, so that disturbances
//! hit both.

use crate::{
    figures::Figures,
    server::{Server, Settings},
    setup,
    turns::Load,
    world::World,
};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const AT_ONCE: usize = 16;
/// Of each message: sent and delivered.
const STATUSES: usize = 2;
/// Each is measured once in a round.
const ROUNDS: usize = 4;
/// When nothing has arrived for so long, all events have.
const QUIET: Duration = Duration::from_secs(1);

/// What an endpoint is subscribed to.
const CASES: [(&str, &[&str]); 3] = [
    ("no endpoint", &[]),
    ("messages received", &["whatsapp.message.received"]),
    (
        "all of messages and executions",
        &[
            "whatsapp.message.received",
            "whatsapp.message.sent",
            "whatsapp.message.delivered",
            "whatsapp.message.read",
            "whatsapp.message.failed",
            "execution.started",
            "execution.ended",
            "execution.failed",
            "execution.handoff",
        ],
    ),
];

pub async fn run(settings: &Settings, seconds: Duration, figures: &mut Figures) {
    let world = World::start().await;
    let mut settings = settings.clone();
    settings.variables.push(("CHASQUI_EGRESS_ALLOW", "127.0.0.1/32"));
    let server = Server::start(&settings, world.url()).await;
    world.serve(&server.url);
    let (load, key) = Load::new(&settings, server, world).await;
    load.world.set_response_times(0, 0, STATUSES);
    let mut rates = [0.0; CASES.len()];
    for _ in 0..ROUNDS {
        for (rate, (name, events)) in rates.iter_mut().zip(CASES) {
            *rate += measured(&load, &key, events, seconds, (name, &mut *figures)).await;
        }
    }
    for ((name, _), rate) in CASES.iter().zip(rates).skip(1) {
        figures.add(name, "turns/s to those without", rate / rates[0], "");
    }
}

/// Turns per second while an endpoint gets these events.
async fn measured(
    load: &Arc<Load>,
    key: &str,
    events: &[&str],
    seconds: Duration,
    (name, figures): (&str, &mut Figures),
) -> f64 {
    let path = "/api/v1/webhook_endpoints";
    let url = format!("{}/hook", load.world.url());
    let endpoint = json!({"webhook_endpoint": {"url": url, "secret_key": "bench-secret", "events": events}});
    let endpoint = match events {
        [] => None,
        _ => Some(setup::call(&load.server, &load.world, key, path, &endpoint).await["data"]["id"].clone()),
    };
    let received = load.world.hooks();
    let (cpu, began) = (load.server.cpu_ms(), Instant::now());
    let turns = load.loops(AT_ONCE, seconds).await.len();
    let took = began.elapsed();
    let cpu = load.server.cpu_ms() - cpu;
    if let Some(id) = endpoint {
        // The events of this load must not disturb the next one.
        let (mut last, mut grew) = (load.world.hooks(), Instant::now());
        while grew.elapsed() < QUIET {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = load.world.hooks();
            if now > last {
                (last, grew) = (now, Instant::now());
            }
        }
        assert!(last - received >= turns, "{} events of {turns} turns arrived", last - received);
        figures.add(name, "webhooks per turn", (last - received) as f64 / turns as f64, "");
        figures.add(name, "from the last turn to the last webhook", (grew - began - took).as_secs_f64(), "s");
        let url = format!("{}{path}/{}", load.server.url, id.as_str().expect("an id"));
        let deleted = load.world.http().delete(url).header("X-API-Key", key).send().await.expect("an answer");
        assert!(deleted.status().is_success(), "{}", deleted.status());
    }
    let rate = turns as f64 / took.as_secs_f64();
    figures.add(name, "turns", rate, "/s");
    figures.add(name, "CPU of the server per turn", cpu / turns as f64, "ms");
    rate
}
