//! The workers: each is a `step` that does one thing that is due and says whether there was one.
//!
//! The loop here, tests' `run_until_idle` and a simulator call the same steps. No step loops, spawns or sleeps.

use crate::{
    Context, delivery,
    jobs::{
        calls::{self, Calls},
        expiry,
    },
    leases, timers, trials, turn,
};
use domain::{
    Span, Timestamp,
    ids::{ConversationId, OutboxId},
};
use futures::{
    future::FutureExt as _,
    stream::{FuturesUnordered, StreamExt as _},
};
use std::{collections::HashSet, time::Duration};
use store::unscoped::{self, DueConversation, DueOutbox, DueRow};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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
/// Test runs that wait for a model at once.
const TRIALS: usize = 64;
/// Jobs that ask or tell Meta something, at once; and as many downloads.
const CALLS: usize = 16;
/// Rows read by one look.
pub(crate) const BATCH: i64 = 64;

/// When work is due that is held, or that was handed over: at once on every node, however wrong a clock is.
pub(crate) const AT_ONCE: Timestamp = Timestamp::from_secs(0);

/// How long what failed waits, so that it neither turns in circles nor stands in front of others.
pub(crate) fn wait_after(error: &store::Error) -> Span {
    match error {
        // Nothing but another version or a person can help.
        store::Error::Damaged { .. } => Span::from_secs(30),
        _ => Span::from_secs(1),
    }
}

/// Does one thing that is due, of any kind.
pub async fn step(ctx: &Context) -> store::Result<Did> {
    for did in [
        timers::step(ctx).await?,
        expiry::step(ctx).await?,
        delivery::step(ctx).await?,
        turn::step(ctx).await?,
        trials::step(ctx).await?,
        calls::step(ctx).await?,
    ] {
        if did == Did::Something {
            return Ok(did);
        }
    }
    Ok(Did::Nothing)
}

/// A piece of due work. Different pieces can be done side by side; of two nodes that do the same one, one finds it taken.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// A turn.
    Turn(DueConversation),
    /// A send.
    Send(DueOutbox),
    /// A run of a test case.
    Trial(DueRow),
    /// A job that asks or tells Meta something.
    Call(DueRow),
}

/// What a piece of work is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A turn of this conversation.
    Turn(ConversationId),
    /// A send of this row.
    Send(OutboxId),
    /// A test run, by its job.
    Trial(Uuid),
    /// Something that Meta is asked or told, by its job.
    Call(Uuid),
}

impl Work {
    /// What it is about: a node does not do it twice at once.
    pub const fn subject(&self) -> Subject {
        match self {
            Self::Turn(due) => Subject::Turn(due.id),
            Self::Send(due) => Subject::Send(due.id),
            Self::Trial(due) => Subject::Trial(due.id),
            Self::Call(due) => Subject::Call(due.id),
        }
    }

    /// Does it, as far as it goes. An error leaves it due.
    pub async fn carry_out(self, ctx: Context) -> store::Result<()> {
        match self {
            Self::Turn(due) => turn::run(&ctx, due).await,
            Self::Send(due) => delivery::run(&ctx, due).await,
            Self::Trial(due) => trials::run(&ctx, due).await,
            Self::Call(due) => calls::run(&ctx, due).await,
        }
    }
}

/// What is due, oldest first in each list.
#[derive(Debug, Default)]
pub struct Seen {
    /// Turns.
    pub turns: Vec<DueConversation>,
    /// Sends.
    pub sends: Vec<DueOutbox>,
    /// Test runs.
    pub trials: Vec<DueRow>,
}

/// Looks for what is due.
pub async fn look(ctx: &Context) -> store::Result<Seen> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let now = ctx.now();
    let turns = unscoped::due_conversations(&mut conn, now, BATCH).await?;
    let sends = unscoped::due_outbox(&mut conn, now, BATCH).await?;
    let trials = unscoped::due_test_runs(&mut conn, now, BATCH).await?;
    Ok(Seen { turns, sends, trials })
}

/// Fires due timers and runs due jobs.
pub async fn run_due_clocks(ctx: &Context) -> store::Result<()> {
    let fired = timers::step(ctx).await;
    expiry::step(ctx).await?;
    fired.map(drop)
}

/// Renews the leases of this node's turns; to be called every three seconds.
pub async fn renew_leases(ctx: &Context) -> store::Result<()> {
    leases::step(ctx).await
}

/// Runs the workers until told to stop; then lets what is under way come to rest, with its leases renewed.
pub async fn run(ctx: Context, stop: CancellationToken) {
    let idle = CancellationToken::new();
    let due = async {
        let work = supervised("due work", &stop, || run_due(ctx.clone(), stop.clone()));
        let calls = supervised("calls", &stop, || run_calls(ctx.clone(), Calls::Others, stop.clone()));
        let fetches = supervised("fetches", &stop, || run_calls(ctx.clone(), Calls::Fetches, stop.clone()));
        tokio::join!(work, calls, fetches);
        idle.cancel();
    };
    let clocks = supervised("clocks", &stop, || run_clocks(ctx.clone(), stop.clone()));
    let leases = supervised("leases", &idle, || keep_leases(ctx.clone(), idle.clone()));
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
    let mut busy: HashSet<Subject> = HashSet::new();
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
        let turning = busy.iter().filter(|subject| matches!(subject, Subject::Turn(_))).count();
        let testing = busy.iter().filter(|subject| matches!(subject, Subject::Trial(_))).count();
        let sending = busy.len() - turning - testing;
        let (room, space) = (TURNS_AT_ONCE.saturating_sub(turning), SENDS_AT_ONCE.saturating_sub(sending));
        if worth_a_look && !stop.is_cancelled() && (room > 0 || space > 0) {
            let Seen { turns, sends, trials } = look(&ctx).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot look for due work");
                Default::default()
            });
            left = turns.len() > room || sends.len() > space;
            full = turns.len() as i64 == BATCH && room > 0 || sends.len() as i64 == BATCH && space > 0;
            left |= full;
            let turns = turns.into_iter().take(room).map(Work::Turn);
            let sends = sends.into_iter().take(space).map(Work::Send);
            let trials = trials.into_iter().take(TRIALS.saturating_sub(testing)).map(Work::Trial);
            for work in turns.chain(sends).chain(trials) {
                if busy.insert(work.subject()) {
                    under_way.push(spawn(work.subject(), work.carry_out(ctx.clone())));
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
            Some(subject) = under_way.next() => {
                busy.remove(&subject);
                // Whatever else has ended by now: one look serves all.
                while let Some(Some(subject)) = under_way.next().now_or_never() {
                    busy.remove(&subject);
                }
                ended = true;
            }
            () = &mut rung => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

/// Runs a step on a task of its own, so that a panic in it ends that step alone.
async fn spawn(subject: Subject, work: impl Future<Output = store::Result<()>> + Send + 'static) -> Subject {
    match tokio::spawn(work).await {
        Ok(Ok(())) => {}
        Ok(Err(store::Error::StaleEpoch)) => metrics::counter!("stale_epoch_writes_total").increment(1),
        Ok(Err(error)) => tracing::warn!(%error, "step failed; it stays due"),
        Err(error) => {
            metrics::counter!("panics_total").increment(1);
            tracing::error!(%error, "step panicked");
        }
    }
    subject
}

/// Carries out what Meta is to be asked or told, a few at once. It is seldom and may wait for a look: turns and sends do not
/// pay for it.
async fn run_calls(ctx: Context, calls: Calls, stop: CancellationToken) {
    let mut under_way = FuturesUnordered::new();
    let mut busy: HashSet<Subject> = HashSet::new();
    loop {
        let room = CALLS.saturating_sub(under_way.len());
        if room > 0 && !stop.is_cancelled() {
            let due = calls::look(&ctx, calls).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot look for due calls");
                Vec::new()
            });
            for work in due.into_iter().map(Work::Call).take(room) {
                if busy.insert(work.subject()) {
                    under_way.push(spawn(work.subject(), work.carry_out(ctx.clone())));
                }
            }
        }
        if stop.is_cancelled() && under_way.is_empty() {
            return;
        }
        tokio::select! {
            Some(subject) = under_way.next() => {
                busy.remove(&subject);
            }
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

async fn run_clocks(ctx: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = run_due_clocks(&ctx).await {
            tracing::warn!(%error, "cannot look for due timers and jobs");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn keep_leases(ctx: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = renew_leases(&ctx).await {
            tracing::warn!(%error, "cannot renew leases");
        }
    }
}
