//! The workers: each is a `step` that does one thing that is due and says whether there was one.
//!
//! The loop here, tests' `run_until_idle` and a simulator call the same steps. No step loops, spawns or sleeps.

mod interrupt;
mod jobs;
mod leases;
mod outbound;
mod outbox;
mod step;
mod timers;
mod turns;

use crate::Context;
use domain::{Span, Timestamp};
use futures::{
    future::{BoxFuture, FutureExt as _},
    stream::{FuturesUnordered, StreamExt as _},
};
use std::{collections::HashSet, time::Duration};
use store::unscoped::{DueConversation, DueOutbox};
use tokio_util::sync::CancellationToken;

pub(crate) use interrupt::Interrupts;
pub(crate) use leases::Register;
pub(crate) use outbound::{NotSendable, Said, derived, enqueue};
pub(crate) use outbox::post;
pub(crate) use step::mail;

/// Whether a step did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It did; there may be more.
    Something,
    /// Nothing is due.
    Nothing,
}

/// How long work that nobody rang for may wait: other nodes' doings and clocks are seen by looking.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Turns under way at once on this node; each waits for a model most of the time.
const TURNS_AT_ONCE: usize = 256;
/// Sends under way at once: apart from turns, so that a model that hangs does not keep answers from leaving.
const SENDS_AT_ONCE: usize = 128;
/// Rows read by one look.
const BATCH: i64 = 64;

/// When work is due that is held, or that was handed over: at once on every node, however wrong a clock is.
const AT_ONCE: Timestamp = Timestamp::from_secs(0);

/// How long what failed waits, so that it neither turns in circles nor stands in front of others.
fn wait_after(error: &store::Error) -> Span {
    match error {
        // Nothing but another version or a person can help.
        store::Error::Damaged { .. } => Span::from_secs(30),
        _ => Span::from_secs(1),
    }
}

/// Does one thing that is due, of any kind.
pub async fn step(ctx: &Context) -> store::Result<Did> {
    for did in [timers::step(ctx).await?, jobs::step(ctx).await?, outbox::step(ctx).await?, turns::step(ctx).await?] {
        if did == Did::Something {
            return Ok(did);
        }
    }
    Ok(Did::Nothing)
}

/// What is due and can be done side by side.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Task {
    Turn(domain::ids::ConversationId),
    Send(domain::ids::OutboxId),
}

/// Runs the workers until told to stop; then lets what is under way come to rest, with its leases renewed.
pub(crate) async fn run(ctx: Context, stop: CancellationToken) {
    let idle = CancellationToken::new();
    let due = async {
        supervised("due work", &stop, || run_due(ctx.clone(), stop.clone())).await;
        idle.cancel();
    };
    let clocks = supervised("clocks", &stop, || run_clocks(ctx.clone(), stop.clone()));
    let leases = supervised("leases", &idle, || renew_leases(ctx.clone(), idle.clone()));
    tokio::join!(due, clocks, leases);
}

/// Keeps a loop alive: a panic in it is counted and it starts again.
async fn supervised<F: Future<Output = ()> + Send + 'static>(
    name: &str,
    stop: &CancellationToken,
    start: impl Fn() -> F,
) {
    while let Err(error) = tokio::spawn(start()).await {
        metrics::counter!("panics_total").increment(1);
        tracing::error!(worker = name, %error, "a worker's loop panicked");
        if stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn run_due(ctx: Context, stop: CancellationToken) {
    let mut under_way = FuturesUnordered::new();
    let mut busy: HashSet<Task> = HashSet::new();
    // What the last look saw and left lying because it was busy or there was no room.
    let mut left = true;
    let mut ended = false;
    loop {
        // Asked for before looking: a ring during the look is not missed.
        let rung = ctx.wake.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let mut full = false;
        // The end of a task brings nothing new unless something waited for it: whatever it left due has rung.
        let worth_a_look = left || !std::mem::take(&mut ended);
        let turning = busy.iter().filter(|task| matches!(task, Task::Turn(_))).count();
        let (room, space) = (TURNS_AT_ONCE.saturating_sub(turning), SENDS_AT_ONCE.saturating_sub(busy.len() - turning));
        if worth_a_look && !stop.is_cancelled() && (room > 0 || space > 0) {
            let (turns, sends) = look(&ctx).await;
            left = turns.len() > room || sends.len() > space;
            full = turns.len() as i64 == BATCH && room > 0 || sends.len() as i64 == BATCH && space > 0;
            left |= full;
            for due in turns.into_iter().take(room) {
                if busy.insert(Task::Turn(due.id)) {
                    let ctx = ctx.clone();
                    under_way.push(spawn(Task::Turn(due.id), Box::pin(async move { turns::run(&ctx, due).await })));
                } else {
                    left = true;
                }
            }
            for due in sends.into_iter().take(space) {
                if busy.insert(Task::Send(due.id)) {
                    let ctx = ctx.clone();
                    under_way.push(spawn(Task::Send(due.id), Box::pin(async move { outbox::run(&ctx, due).await })));
                } else {
                    left = true;
                }
            }
        }
        if stop.is_cancelled() && under_way.is_empty() {
            return;
        }
        let pause = if full { Duration::from_millis(5) } else { LOOK_AGAIN };
        tokio::select! {
            Some(task) = under_way.next() => {
                busy.remove(&task);
                // Whatever else has ended by now: one look serves all.
                while let Some(Some(task)) = under_way.next().now_or_never() {
                    busy.remove(&task);
                }
                ended = true;
            }
            () = &mut rung => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

async fn look(ctx: &Context) -> (Vec<DueConversation>, Vec<DueOutbox>) {
    let looked = async {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let now = ctx.now();
        let turns = store::unscoped::due_conversations(&mut conn, now, BATCH).await?;
        Ok::<_, store::Error>((turns, store::unscoped::due_outbox(&mut conn, now, BATCH).await?))
    };
    looked.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot look for due work");
        Default::default()
    })
}

/// Runs a step on a task of its own, so that a panic in it ends that step alone.
async fn spawn(task: Task, work: BoxFuture<'static, store::Result<()>>) -> Task {
    match tokio::spawn(work).await {
        Ok(Ok(())) => {}
        Ok(Err(store::Error::StaleEpoch)) => metrics::counter!("stale_epoch_writes_total").increment(1),
        Ok(Err(error)) => tracing::warn!(%error, "step failed; it stays due"),
        Err(error) => {
            metrics::counter!("panics_total").increment(1);
            tracing::error!(%error, "step panicked");
        }
    }
    task
}

async fn run_clocks(ctx: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        for did in [timers::step(&ctx).await, jobs::step(&ctx).await] {
            if let Err(error) = did {
                tracing::warn!(%error, "cannot look for due timers and jobs");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn renew_leases(ctx: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = leases::step(&ctx).await {
            tracing::warn!(%error, "cannot renew leases");
        }
    }
}
