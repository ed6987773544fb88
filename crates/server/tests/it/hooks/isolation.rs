//! One dead receiver among fifty does not delay the others.

use super::{ana_writes, subscribe_project, with_number};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use testkit::Service;
use tokio_util::sync::CancellationToken;

const OTHERS: usize = 49;
const MESSAGES: usize = 12;

type Arrivals = Arc<Mutex<Vec<(usize, Instant)>>>;

/// The 99th percentile of the time from the message to its delivery at the receivers that work.
async fn p99(with_a_dead_one: bool) -> Duration {
    let (app, _) = with_number().await;
    let arrivals = Arrivals::default();
    let seen = arrivals.clone();
    let good = Service::start(move |request| {
        let text = request.body["message"]["text"]["body"].as_str().unwrap_or_default();
        seen.lock().unwrap().push((text.parse().unwrap(), Instant::now()));
        json!({"ok": true})
    });
    let (good, dead) = (good.await, Service::start(|_| json!({"hold": true})).await);
    let events = ["whatsapp.message.received"];
    for number in 0..OTHERS {
        subscribe_project(&app, &format!("{}/{number}", good.url()), &events, json!({})).await;
    }
    if with_a_dead_one {
        subscribe_project(&app, &dead.url(), &events, json!({})).await;
    }
    let stop = CancellationToken::new();
    let workers = tokio::spawn(runtime::workers::run(app.app.context().clone(), stop.clone()));
    let mut sent = Vec::new();
    for number in 0..MESSAGES {
        sent.push(Instant::now());
        ana_writes(&app, &number.to_string()).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    testkit::until(|| async { arrivals.lock().unwrap().len() == OTHERS * MESSAGES }).await;
    assert_eq!(dead.requests().is_empty(), !with_a_dead_one);
    stop.cancel();
    workers.await.unwrap();
    let arrivals = arrivals.lock().unwrap();
    let mut times: Vec<Duration> = arrivals.iter().map(|(number, at)| at.duration_since(sent[*number])).collect();
    times.sort();
    times[times.len() * 99 / 100]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dead_receiver_among_fifty_delays_no_other() {
    let without = p99(false).await;
    let with = p99(true).await;
    eprintln!("p99 of 49 receivers: {without:?} alone, {with:?} with a dead one");
    // The ratio is for a quiet machine to judge. The dead receiver holds each request for 10 s: if others
    // waited for it, they would wait as long.
    assert!(with < Duration::from_secs(5), "{with:?} with a dead receiver, {without:?} without");
}
