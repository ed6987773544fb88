//! Turns: an inbound webhook, one model call, a reply at Meta.
//!
//! Closed loop: a fixed number of concurrent turns; measures throughput. Open loop: turns begin on
//! a fixed schedule, independent of the server; measures waiting time.

use crate::{
    figures::Figures,
    samples::{Samples, closed_loop, poisson},
    server::{Server, Settings, cpu_ms},
    setup::{self, Phones},
    webhook,
    world::World,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Enough phones that each is idle between two turns, while its last send is settled.
const PHONES: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(30);
/// Pieces of a streamed answer: as many as it has words and marks.
const PIECES: usize = 10;

pub async fn run(settings: &Settings, seconds: Duration, figures: &mut Figures) {
    let world = World::start().await;
    let size = std::fs::metadata(&settings.program).map_or(0, |file| file.len());
    figures.add("binary", "size", size as f64 / 1_048_576.0, "MiB");
    let server = start(settings, &world, figures).await;
    let (load, _) = Load::new(settings, server, world).await;
    let mut peak: f64 = 0.0;
    for (at_once, statuses) in [(1, 0), (16, 0), (64, 0), (16, 2)] {
        load.world.set_response_times(0, 0, statuses);
        let name = match statuses {
            0 => format!("{at_once} at a time"),
            _ => format!("{at_once} at a time, {statuses} statuses"),
        };
        peak = peak.max(load.closed(at_once, &name, seconds, figures).await);
    }
    load.world.set_response_times(300, 40, 0);
    let half = (peak / 2.0).floor();
    for rate in [10.0, half] {
        load.open(rate, seconds, figures).await;
    }
    figures.add("after all of it", "memory", load.server.memory_mib("VmRSS"), "MiB");
    figures.add("after all of it", "memory, highest", load.server.memory_mib("VmHWM"), "MiB");
    figures.add("after all of it", "answers given twice", load.world.duplicate_answers() as f64, "");
}

/// Measures whole answers of the model and streamed ones, in turns on one server.
pub async fn streams(settings: &Settings, seconds: Duration, figures: &mut Figures) {
    let world = World::start().await;
    let server = Server::start(settings, world.url()).await;
    world.serve(&server.url);
    let (load, _) = Load::new(settings, server, world).await;
    for round in 1..=4 {
        for (pieces, name) in [(0, "whole answers"), (PIECES, "streamed answers")] {
            load.world.stream_in(pieces);
            load.closed(16, &format!("{name}, round {round}"), seconds, figures).await;
        }
    }
}

/// Measures the first start, which creates the database, and the median of five restarts.
async fn start(settings: &Settings, world: &World, figures: &mut Figures) -> Server {
    let mut server = Server::start(settings, world.url()).await;
    figures.add("start", "to ready, new database", server.ready_after.as_secs_f64() * 1_000.0, "ms");
    let mut again = Samples::default();
    for _ in 0..5 {
        server.stop().await;
        server = Server::start(settings, world.url()).await;
        again.add(server.ready_after);
    }
    figures.add("start", "to ready, median of 5", again.percentile(50.0), "ms");
    tokio::time::sleep(Duration::from_secs(1)).await;
    figures.add("start", "memory, idle", server.memory_mib("VmRSS"), "MiB");
    world.serve(&server.url);
    server
}

pub(crate) struct Load {
    phones: Phones,
    pub(crate) server: Server,
    pub(crate) world: World,
    turn: AtomicU64,
}

impl Load {
    /// Creates a project with phones. Also returns its key.
    pub(crate) async fn new(settings: &Settings, server: Server, world: World) -> (Arc<Self>, String) {
        let (phones, key) = setup::phones(settings, &server, &world, PHONES, 0).await;
        (Arc::new(Self { phones, server, world, turn: AtomicU64::new(1) }), key)
    }

    /// Measures turns per second with `at_once` concurrent turns.
    async fn closed(self: &Arc<Self>, at_once: usize, load: &str, seconds: Duration, figures: &mut Figures) -> f64 {
        self.loops(at_once, Duration::from_secs(1)).await;
        let commits = self.server.commits().await;
        let (cpu, own, sleeps) = (self.server.cpu_ms(), cpu_ms("self"), self.server.sleeps());
        let began = Instant::now();
        let mut added = self.loops(at_once, seconds).await;
        let took = began.elapsed();
        let (cpu, own, sleeps) = (self.server.cpu_ms() - cpu, cpu_ms("self") - own, self.server.sleeps() - sleeps);
        let turns = added.len() as f64;
        let rate = turns / took.as_secs_f64();
        figures.add(load, "turns", rate, "/s");
        figures.add(load, "added time, p50", added.percentile(50.0), "ms");
        figures.add(load, "added time, p99", added.percentile(99.0), "ms");
        figures.add(load, "CPU of the server per turn", cpu / turns, "ms");
        figures.add(load, "thread sleeps per turn", sleeps / turns, "");
        figures.add(load, "CPU of the generator per turn", own / turns, "ms");
        let after = self.server.commits().await;
        let made: f64 = after.iter().map(|(name, count)| count - commits.get(name).copied().unwrap_or_default()).sum();
        figures.add(load, "transactions per turn", made / turns, "");
        figures.add(load, "memory", self.server.memory_mib("VmRSS"), "MiB");
        rate
    }

    pub(crate) async fn loops(self: &Arc<Self>, at_once: usize, length: Duration) -> Samples {
        closed_loop(self, at_once, length, |load| async move { load.turn(Instant::now()).await }).await
    }

    /// Measures waiting time at a rate of turns per second.
    async fn open(self: &Arc<Self>, rate: f64, seconds: Duration, figures: &mut Figures) {
        let began = Instant::now() + Duration::from_millis(50);
        let mut lag = Samples::default();
        let mut turns = Vec::new();
        for at in poisson(rate, seconds) {
            let intended = began + at;
            tokio::time::sleep_until(intended.into()).await;
            lag.add(intended.elapsed());
            let load = self.clone();
            turns.push(tokio::spawn(async move { load.turn(intended).await }));
        }
        let mut added = Samples::default();
        for turn in turns {
            added.add(turn.await.expect("no panic"));
        }
        let load = format!("open loop, {rate:.0} turns/s");
        figures.add(&load, "added time, p50", added.percentile(50.0), "ms");
        figures.add(&load, "added time, p99", added.percentile(99.0), "ms");
        lag.report_as_lag(&load, figures);
    }

    /// Runs one turn. Returns the time from its scheduled begin until its reply is at Meta, without
    /// the model's time.
    async fn turn(&self, intended: Instant) -> Duration {
        let (phone, turn) = (self.phones.take(), self.turn.fetch_add(1, Relaxed));
        let reply = self.world.expect(turn);
        let webhook = webhook::text(&phone, &self.world.wamid(), &format!("Where is my order #{turn}?"));
        assert!(webhook::post(self.world.http(), &self.server.url, &webhook).await, "the webhook is accepted");
        let reply = tokio::time::timeout(PATIENCE, reply).await.expect("a reply within 30 s").expect("a reply");
        self.phones.give(phone);
        reply.at.saturating_duration_since(intended).saturating_sub(reply.model)
    }
}
