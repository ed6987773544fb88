//! The loop that delivers outgoing webhooks. It has workers of its own, so that no turn, send or job
//! waits for a receiver.

use super::outage::Outage;
use crate::{
    Context,
    hook_delivery::{Busy, Done, attempt, claim, settle, step_silence, sweep},
    poison, suspects,
};
use domain::ids::{HookEndpointId, ProjectId};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use store::suspects::{WorkId, WorkKind};
use tokio_util::sync::CancellationToken;

const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Pause before the next scan while there is work: a scan finds what several commits left.
const SHORT: Duration = Duration::from_millis(10);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Time for open requests when the node stops; the rest is repeated by another node.
const FAREWELL: Duration = Duration::from_secs(3);

pub(super) async fn run((ctx, outage): (Context, Arc<Outage>), stop: CancellationToken) {
    let (mut tasks, mut busy) = (FuturesUnordered::new(), Busy::default());
    let (mut next_scan, mut next_sweep) = (Instant::now(), Instant::now() + SWEEP_EVERY);
    while !stop.is_cancelled() {
        if Instant::now() >= next_scan && outage.wait().is_none() {
            let found = match claim(&ctx, &busy).await {
                Ok(claimed) => {
                    let any = !claimed.is_empty();
                    for claimed in claimed {
                        busy.enter(claimed.project, claimed.row.endpoint_id);
                        tasks.push(spawn(ctx.clone(), claimed));
                    }
                    any
                }
                Err(error) => {
                    note(&outage, &error, "cannot claim webhooks");
                    false
                }
            };
            if !found {
                idle(&ctx, &outage, &mut next_sweep).await;
            }
            next_scan = Instant::now() + if found { SHORT } else { POLL_INTERVAL };
        }
        let pause = outage.wait().unwrap_or_default().max(next_scan.saturating_duration_since(Instant::now()));
        tokio::select! {
            Some(ended) = tasks.next() => {
                let mut ended = vec![ended];
                while let Some(Some(another)) = tasks.next().now_or_never() {
                    ended.push(another);
                }
                finish(&ctx, &outage, &mut busy, ended).await;
                // There is room again.
                next_scan = next_scan.min(Instant::now() + SHORT);
            }
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    let rest = async {
        while let Some(ended) = tasks.next().await {
            finish(&ctx, &outage, &mut busy, vec![ended]).await;
        }
    };
    let _ = tokio::time::timeout(FAREWELL, rest).await;
}

type Ended = (ProjectId, HookEndpointId, Result<Done, Box<(WorkId, tokio::task::JoinError)>>);

/// On a task of its own, so that a panic ends only this attempt.
async fn spawn(ctx: Context, claimed: crate::hook_delivery::Claimed) -> Ended {
    let (project, endpoint, id) = (claimed.project, claimed.row.endpoint_id, claimed.row.id);
    let done = tokio::spawn(async move { attempt(&ctx, claimed).await }).await;
    let work = suspects::work(WorkKind::Hook, project, id);
    (project, endpoint, done.map_err(|error| Box::new((work, error))))
}

async fn finish(ctx: &Context, outage: &Outage, busy: &mut Busy, ended: Vec<Ended>) {
    let mut all = Vec::with_capacity(ended.len());
    for (project, endpoint, done) in ended {
        busy.leave(project, endpoint);
        match done {
            Ok(done) => all.push(done),
            Err(panic) => poison::panicked(ctx, panic.0, &panic.1).await,
        }
    }
    // In one order on every node: settling locks endpoints.
    all.sort_by_key(|done: &Done| (done.claimed.project, done.claimed.row.endpoint_id));
    match settle(ctx, &all).await {
        Ok(()) => outage.is_over(),
        Err(error) => note(outage, &error, "cannot settle webhooks; they are sent again"),
    }
}

/// Work for the time without deliveries, and at each poll.
async fn idle(ctx: &Context, outage: &Outage, next_sweep: &mut Instant) {
    if let Err(error) = step_silence(ctx).await {
        note(outage, &error, "cannot report silent conversations");
    }
    if Instant::now() >= *next_sweep {
        *next_sweep = Instant::now() + SWEEP_EVERY;
        if let Err(error) = sweep(ctx).await {
            note(outage, &error, "cannot delete old webhooks");
        }
    }
}

fn note(outage: &Outage, error: &store::Error, what: &str) {
    if !outage.note(error) {
        tracing::warn!(%error, "{what}");
    }
}
