//! Inbound webhooks: throughput and time to the acknowledgement.
//!
//! Each is a new text from a phone with an active session, so it takes the whole path: signature,
//! dedupe key, contact, conversation, message, mailbox, due time, event, commit. The agent's
//! debounce is a minute, so no turn runs meanwhile.

use crate::{
    figures::Figures,
    samples::{Samples, closed_loop, poisson},
    server::{Server, Settings, cpu_ms},
    setup, webhook,
    world::World,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

const PHONES: usize = 200;
const DEBOUNCE_SECONDS: u32 = 60;
const RATE: f64 = 1_000.0;
const CONNECTIONS: usize = 64;
/// Longest phase, so that no burst reaches the end of its debounce.
const LONGEST: Duration = Duration::from_secs(20);

struct Load {
    phones: setup::Phones,
    server: Server,
    world: World,
    refused: AtomicU64,
}

pub async fn run(settings: &Settings, seconds: Duration, figures: &mut Figures) {
    let seconds = seconds.min(LONGEST);
    let world = World::start().await;
    let server = Server::start(settings, world.url()).await;
    world.serve(&server.url);
    let (phones, _) = setup::phones(settings, &server, &world, PHONES, DEBOUNCE_SECONDS).await;
    let load = Arc::new(Load { phones, server, world, refused: AtomicU64::new(0) });
    load.closed(Duration::from_secs(1)).await;
    for rate in [RATE / 2.0, RATE] {
        load.open(rate, seconds, figures).await;
    }
    let (cpu, own, began) = (load.server.cpu_ms(), cpu_ms("self"), Instant::now());
    let mut acks = load.closed(seconds).await;
    let count = acks.len() as f64;
    let name = format!("closed loop, {CONNECTIONS} connections");
    figures.add(&name, "accepted", count / began.elapsed().as_secs_f64(), "/s");
    figures.add(&name, "acknowledged after, p50", acks.percentile(50.0), "ms");
    figures.add(&name, "acknowledged after, p99", acks.percentile(99.0), "ms");
    figures.add(&name, "CPU of the server", (load.server.cpu_ms() - cpu) / count, "ms");
    figures.add(&name, "CPU of the generator", (cpu_ms("self") - own) / count, "ms");
    figures.add("after all of it", "memory", load.server.memory_mib("VmRSS"), "MiB");
    figures.add("after all of it", "webhooks refused", load.refused.load(Relaxed) as f64, "");
}

impl Load {
    async fn open(self: &Arc<Self>, rate: f64, seconds: Duration, figures: &mut Figures) {
        let began = Instant::now() + Duration::from_millis(50);
        let (mut lag, mut acks) = (Samples::default(), Samples::default());
        let mut sent = Vec::new();
        for at in poisson(rate, seconds) {
            let intended = began + at;
            // The timer's resolution is a millisecond; what is due within the next one is sent at
            // once.
            if intended > Instant::now() {
                tokio::time::sleep_until(intended.into()).await;
            }
            lag.add(intended.elapsed());
            let load = self.clone();
            sent.push(tokio::spawn(async move { load.webhook(intended).await }));
        }
        let count = sent.len() as f64;
        for webhook in sent {
            acks.add(webhook.await.expect("no panic"));
        }
        let name = format!("open loop, {rate:.0} webhooks/s");
        figures.add(&name, "accepted", count / began.elapsed().as_secs_f64(), "/s");
        figures.add(&name, "acknowledged after, p50", acks.percentile(50.0), "ms");
        figures.add(&name, "acknowledged after, p99", acks.percentile(99.0), "ms");
        lag.report_as_lag(&name, figures);
    }

    async fn closed(self: &Arc<Self>, seconds: Duration) -> Samples {
        closed_loop(self, CONNECTIONS, seconds, |load| async move { load.webhook(Instant::now()).await }).await
    }

    async fn webhook(&self, intended: Instant) -> Duration {
        let phone = self.phones.take();
        let webhook = webhook::text(&phone, &self.world.wamid(), "Where is my order?");
        // The phone may send again before its last message is acknowledged.
        self.phones.give(phone);
        if !webhook::post(self.world.http(), &self.server.url, &webhook).await {
            self.refused.fetch_add(1, Relaxed);
        }
        intended.elapsed()
    }
}
