//! The production loops around the worker steps.

use super::{
    due::{Due, find_due},
    hooks,
    lease_renewal::renew_leases,
    outage::Outage,
    sweep::sweep,
    work::{Subject, Work, run_due_timers},
};
use crate::{
    Context, feed,
    jobs::{self, Queue},
    poison,
    slots::Slot,
    worker_step::Did,
};
use futures::{
    future::FutureExt as _,
    stream::{FuturesUnordered, StreamExt as _},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Longest wait for work that did not notify this node: work of other nodes, and timers, are found
/// by polling.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Time between two sweeps of expired rows.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Time between two transactions of a sweep, for the other writers.
const SWEEP_PAUSE: Duration = Duration::from_millis(50);

/// Runs the workers until `stop` is cancelled. Then it finishes the work in progress and keeps
/// renewing its leases.
pub async fn run(ctx: Context, stop: CancellationToken) {
    if let Err(error) = poison::recover(&ctx).await {
        tracing::error!(%error, "cannot recover the work of processes that died");
    }
    let (idle, outage) = (CancellationToken::new(), Arc::new(Outage::default()));
    let shared = || (ctx.clone(), outage.clone());
    let due = async {
        let work = supervised("due work", &stop, || run_due(shared(), stop.clone()));
        let others = supervised("jobs", &stop, || run_jobs(shared(), Queue::Others, stop.clone()));
        let downloads = supervised("downloads", &stop, || run_jobs(shared(), Queue::Downloads, stop.clone()));
        let deletions = supervised("deletions", &stop, || run_jobs(shared(), Queue::Deletions, stop.clone()));
        let hooks = supervised("webhooks", &stop, || hooks::run(shared(), stop.clone()));
        tokio::join!(work, others, downloads, deletions, hooks);
        idle.cancel();
    };
    let timers = supervised("timers", &stop, || run_timers(shared(), stop.clone()));
    let leases = supervised("leases", &idle, || keep_leases(shared(), idle.clone()));
    let sweeps = supervised("sweeps", &stop, || run_sweeps(shared(), stop.clone()));
    tokio::join!(due, timers, leases, sweeps);
}

/// Runs the live feed until `stop` is cancelled, also on nodes without workers.
pub async fn run_feed(ctx: Context, stop: CancellationToken) {
    supervised("live feed", &stop, || feed::run(ctx.store.clone(), ctx.feed.clone(), stop.clone())).await;
}

/// Restarts a loop that panics, and counts the panic.
async fn supervised<F: Future<Output = ()> + Send + 'static>(
    name: &str,
    stop: &CancellationToken,
    start: impl Fn() -> F,
) {
    while let Err(error) = tokio::spawn(start()).await {
        metrics::counter!("chasqui_panics_total").increment(1);
        tracing::error!(worker = name, %error, "worker loop panicked; restarting it");
        if stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Context and back-off, which all loops share.
type Shared = (Context, Arc<Outage>);

async fn run_due((ctx, outage): Shared, stop: CancellationToken) {
    let mut tasks = FuturesUnordered::new();
    let mut busy: HashSet<Subject> = HashSet::new();
    // The last scan found work that was busy, or that found no slot.
    let mut more_due = true;
    let mut ended = false;
    loop {
        // Registered before the scan: a wake-up during the scan is not missed.
        let woken = ctx.wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let mut full = false;
        // The end of a task brings no new work unless some was left over: what the task made due
        // has notified.
        let should_scan = more_due || !std::mem::take(&mut ended);
        let outage_wait = outage.wait();
        if should_scan && outage_wait.is_none() && !stop.is_cancelled() {
            let due = find_due(&ctx).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot query due work");
                Due::default()
            });
            more_due = due.left_over;
            full = due.again;
            let turns = due.turns.into_iter().map(|due| (Work::Turn(due), &ctx.slots.turns, due.project_id));
            let sends = due.sends.into_iter().map(|due| (Work::Send(due), &ctx.slots.sends, due.project_id));
            let test_runs =
                due.test_runs.into_iter().map(|due| (Work::TestRun(due), &ctx.slots.test_runs, due.project_id));
            for (work, pool, project) in turns.chain(sends).chain(test_runs) {
                let slot = if busy.contains(&work.subject()) { None } else { pool.take(project) };
                match slot {
                    Some(slot) => {
                        busy.insert(work.subject());
                        tasks.push(spawn(ctx.clone(), work, Some(slot), &outage));
                    }
                    None => more_due = true,
                }
            }
        }
        if stop.is_cancelled() && tasks.is_empty() {
            return;
        }
        let pause = if full { Duration::from_millis(5) } else { outage_wait.unwrap_or(POLL_INTERVAL) };
        tokio::select! {
            Some(subject) = tasks.next() => {
                busy.remove(&subject);
                // One scan serves all tasks that have ended by now.
                while let Some(Some(subject)) = tasks.next().now_or_never() {
                    busy.remove(&subject);
                }
                ended = true;
            }
            () = &mut woken => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

/// Runs work on a task of its own, so that a panic ends only that work.
async fn spawn(ctx: Context, work: Work, slot: Option<Slot>, outage: &Outage) -> Subject {
    let subject = work.subject();
    match tokio::spawn(work.execute_in(ctx.clone(), slot)).await {
        Ok(Ok(())) => outage.is_over(),
        Ok(Err(error)) if outage.note(&error) => {}
        Ok(Err(store::Error::StaleEpoch)) => metrics::counter!("chasqui_stale_epoch_writes_total").increment(1),
        Ok(Err(error)) => tracing::warn!(?subject, %error, "work failed; it stays due"),
        Err(error) => poison::panicked(&ctx, work.id(), &error).await,
    }
    subject
}

/// Runs jobs that call Meta, or deletions, a few at once. They are rare and may wait for a poll, so that turns
/// and sends do not pay for looking for them.
async fn run_jobs((ctx, outage): Shared, queue: Queue, stop: CancellationToken) {
    let mut tasks = FuturesUnordered::new();
    let mut busy: HashSet<Subject> = HashSet::new();
    loop {
        let room = queue.most().saturating_sub(tasks.len());
        if room > 0 && outage.wait().is_none() && !stop.is_cancelled() {
            let due = jobs::find_due(&ctx, queue).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot query due jobs");
                Vec::new()
            });
            for work in due.into_iter().map(Work::Job).take(room) {
                if busy.insert(work.subject()) {
                    tasks.push(spawn(ctx.clone(), work, None, &outage));
                }
            }
        }
        if stop.is_cancelled() && tasks.is_empty() {
            return;
        }
        tokio::select! {
            Some(subject) = tasks.next() => {
                busy.remove(&subject);
            }
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

async fn run_timers((ctx, outage): Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = run_due_timers(&ctx).await
            && !outage.note(&error)
        {
            tracing::warn!(%error, "cannot query due timers and jobs");
        }
        tokio::select! {
            () = tokio::time::sleep(outage.wait().unwrap_or(POLL_INTERVAL)) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn run_sweeps((ctx, outage): Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match sweep(&ctx).await {
            Ok(Did::Something) => SWEEP_PAUSE,
            Ok(Did::Nothing) => SWEEP_INTERVAL,
            Err(error) => {
                if !outage.note(&error) {
                    tracing::warn!(%error, "cannot delete expired rows");
                }
                SWEEP_INTERVAL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn keep_leases((ctx, outage): Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = renew_leases(&ctx).await
            && !outage.note(&error)
        {
            tracing::warn!(%error, "cannot renew leases");
        }
    }
}
