//! A node: the work of the production loop, crashes, pauses and restarts.

use super::{
    context::context,
    task::Task,
    template::Template,
    traffic::{APP_SECRET, Event},
    world::World,
};
use domain::{Span, Timestamp};
use futures::future::FutureExt as _;
use runtime::{
    Context,
    ingest::{self, Received},
    workers::{self, Subject, Work},
};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use store::{Store, transact, unscoped};

/// Interval of lease renewals.
const RENEW: Span = Span::from_secs(3);

/// Purpose of a task.
#[derive(Debug, Clone, Copy)]
pub(super) enum TaskKind {
    Start,
    Scan,
    Timers,
    Renew,
    Work,
    Ingest(u64),
}

/// Result of a task.
pub(super) enum TaskResult {
    Started(store::Result<()>),
    Scanned(store::Result<workers::Due>),
    Timers(store::Result<()>),
    Renewed(store::Result<()>),
    Worked(Subject, store::Result<()>),
    Ingested(u64, Vec<Event>, Received),
}

/// A node over all its runs.
pub(super) struct Node {
    pub index: usize,
    pub run: u32,
    /// `None` while the node is down.
    pub ctx: Option<Context>,
    pub ready: bool,
    pub tasks: BTreeMap<u64, (TaskKind, Task<TaskResult>)>,
    busy: BTreeSet<Subject>,
    scanning: bool,
    /// Time of the next start.
    pub restart_at: Timestamp,
    /// A graceful stop is in progress.
    pub stopping: bool,
    /// End of the current pause.
    pub paused_until: Option<Timestamp>,
    /// Tasks that continue to their next await although the node is paused.
    pub draining: BTreeSet<u64>,
    pub scan_at: Option<Timestamp>,
    renew_at: Option<Timestamp>,
}

impl Node {
    pub(super) fn new(index: usize, now: Timestamp) -> Self {
        Self {
            index,
            run: 0,
            ctx: None,
            ready: false,
            tasks: BTreeMap::new(),
            busy: BTreeSet::new(),
            scanning: false,
            restart_at: now,
            stopping: false,
            paused_until: None,
            draining: BTreeSet::new(),
            scan_at: None,
            renew_at: None,
        }
    }

    /// Starts the node with a new context, and voids the leases of its earlier runs.
    pub(super) fn start(
        &mut self,
        world: &World,
        store: &Store,
        template: &Template,
        is_only_node: bool,
    ) -> Task<TaskResult> {
        self.run += 1;
        let name = format!("n{}/{}", self.index, self.run);
        let chance = world.lock().chance.split();
        let ctx = context(world, store, self.index, &name, chance);
        for (snapshot, agent) in &template.compiled {
            ctx.keep_compiled(*snapshot, agent, 0);
        }
        self.ctx = Some(ctx.clone());
        let prefix = format!("n{}/", self.index);
        Task::new(async move {
            let voided = transact!(ctx.store, "leases.void", tx => match is_only_node {
                true => unscoped::void_all_leases(tx).await,
                false => unscoped::void_leases_of(tx, &prefix).await,
            });
            TaskResult::Started(voided)
        })
    }

    /// Begins a graceful stop: open work reaches a point from which another node can continue.
    pub(super) fn stop(&mut self) {
        if let Some(ctx) = &self.ctx {
            ctx.stopping.cancel();
            self.stopping = true;
        }
    }

    /// True when a graceful stop is complete.
    pub(super) fn is_done(&self) -> bool {
        self.stopping && self.tasks.is_empty()
    }

    /// Crashes: drops all memory. Returns the webhooks whose connections broke.
    pub(super) fn crash(&mut self, restart_at: Timestamp) -> Vec<u64> {
        let broken = self.tasks.values().filter_map(|(kind, _)| match kind {
            TaskKind::Ingest(id) => Some(*id),
            _ => None,
        });
        let broken = broken.collect();
        *self = Self { run: self.run, ..Self::new(self.index, restart_at) };
        broken
    }

    /// Tasks that the node's loops start at this time.
    pub(super) fn due_tasks(&mut self, now: Timestamp) -> Vec<(TaskKind, Task<TaskResult>)> {
        let Some(ctx) = self.ctx.clone().filter(|_| self.ready && self.paused_until.is_none()) else {
            return Vec::new();
        };
        let mut tasks = Vec::new();
        if self.stopping {
            self.scan_at = None;
        }
        let scans = self.scan_at.is_some_and(|at| at <= now);
        if scans {
            self.scan_at = None;
            let ctx = ctx.clone();
            tasks.push((
                TaskKind::Timers,
                Task::new(async move { TaskResult::Timers(workers::run_due_timers(&ctx).await) }),
            ));
        }
        if !self.scanning && !self.stopping && (scans || ctx.wake.notified().now_or_never().is_some()) {
            self.scanning = true;
            let ctx = ctx.clone();
            tasks.push((TaskKind::Scan, Task::new(async move { TaskResult::Scanned(workers::find_due(&ctx).await) })));
        }
        match self.renew_at {
            Some(at) if at <= now => {
                self.renew_at = Some(now + RENEW);
                tasks.push((
                    TaskKind::Renew,
                    Task::new(async move { TaskResult::Renewed(workers::renew_leases(&ctx).await) }),
                ));
            }
            None if !self.busy.is_empty() => self.renew_at = Some(now + RENEW),
            Some(_) if self.busy.is_empty() => self.renew_at = None,
            _ => {}
        }
        tasks
    }

    /// Starts the work found by a scan, except work that is already in progress here.
    pub(super) fn start_work(&mut self, due: workers::Due) -> Vec<(TaskKind, Task<TaskResult>)> {
        self.scanning = false;
        let Some(ctx) = self.ctx.as_ref().filter(|_| !self.stopping) else { return Vec::new() };
        let work = due.turns.into_iter().map(Work::Turn).chain(due.sends.into_iter().map(Work::Send));
        let mut tasks = Vec::new();
        for work in work {
            let (subject, ctx) = (work.subject(), ctx.clone());
            if self.busy.insert(subject) {
                let task = Task::new(async move { TaskResult::Worked(subject, work.execute(ctx).await) });
                tasks.push((TaskKind::Work, task));
            }
        }
        tasks
    }

    pub(super) fn finished(&mut self, subject: Subject) {
        self.busy.remove(&subject);
    }

    /// Starts to ingest a webhook; `None` if the node does not accept requests.
    pub(super) fn ingest(&self, id: u64, items: Vec<Event>, body: Vec<u8>) -> Option<(TaskKind, Task<TaskResult>)> {
        let ctx = self.ctx.clone().filter(|_| !self.stopping)?;
        let signature = gateways::whatsapp::signature::sign(&SecretString::from(APP_SECRET), &body);
        let task = async move {
            let received = ingest::receive(&ctx, Some(&signature), body).await;
            TaskResult::Ingested(id, items, received)
        };
        Some((TaskKind::Ingest(id), Task::new(task)))
    }

    /// Time of the node's next own action.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.ctx.is_none() {
            return Some(self.restart_at);
        }
        if self.paused_until.is_some() {
            return self.paused_until;
        }
        [self.scan_at, self.renew_at.filter(|_| !self.busy.is_empty())].into_iter().flatten().min()
    }
}
