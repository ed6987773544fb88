//! A node's life: what it does by itself, as the production loop does it, and its death.

use super::{
    context::context,
    task::Task,
    template::Template,
    traffic::{APP_SECRET, Told},
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

/// How often leases are renewed.
const RENEW: Span = Span::from_secs(3);

/// What a task is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Start,
    Look,
    Clocks,
    Renew,
    Work,
    Ingest(u64),
}

/// What came of it.
pub(super) enum Done {
    Started(store::Result<()>),
    Looked(store::Result<workers::Due>),
    Clocks(store::Result<()>),
    Renewed(store::Result<()>),
    Worked(Subject, store::Result<()>),
    Ingested(u64, Vec<Told>, Received),
}

/// A node: the machine, over all its lives.
pub(super) struct Node {
    pub index: usize,
    pub life: u32,
    /// None while it is dead.
    pub ctx: Option<Context>,
    pub ready: bool,
    pub tasks: BTreeMap<u64, (Kind, Task<Done>)>,
    busy: BTreeSet<Subject>,
    looking: bool,
    /// When a dead one starts again.
    pub rises: Timestamp,
    /// It was asked to stop.
    pub stopping: bool,
    /// It stands still until then.
    pub frozen: Option<Timestamp>,
    /// Tasks that come to their next rest although the node stands still.
    pub draining: BTreeSet<u64>,
    pub scan_at: Option<Timestamp>,
    renew_at: Option<Timestamp>,
}

impl Node {
    pub(super) fn new(index: usize, now: Timestamp) -> Self {
        Self {
            index,
            life: 0,
            ctx: None,
            ready: false,
            tasks: BTreeMap::new(),
            busy: BTreeSet::new(),
            looking: false,
            rises: now,
            stopping: false,
            frozen: None,
            draining: BTreeSet::new(),
            scan_at: None,
            renew_at: None,
        }
    }

    /// Begins a life: a context without memory, which makes the leases of its earlier lives void.
    pub(super) fn start(&mut self, world: &World, store: &Store, template: &Template, alone: bool) -> Task<Done> {
        self.life += 1;
        let name = format!("n{}/{}", self.index, self.life);
        let chance = world.lock().chance.split();
        let ctx = context(world, store, self.index, &name, chance);
        for (snapshot, agent) in &template.compiled {
            ctx.keep_compiled(*snapshot, agent);
        }
        self.ctx = Some(ctx.clone());
        let prefix = format!("n{}/", self.index);
        Task::new(async move {
            let voided = transact!(ctx.store, "leases.void", tx => match alone {
                true => unscoped::void_all_leases(tx).await,
                false => unscoped::void_leases_of(tx, &prefix).await,
            });
            Done::Started(voided)
        })
    }

    /// Is asked to stop: what is under way comes to a place where another node can go on.
    pub(super) fn stop(&mut self) {
        if let Some(ctx) = &self.ctx {
            ctx.stopping.cancel();
            self.stopping = true;
        }
    }

    /// Has stopped.
    pub(super) fn is_done(&self) -> bool {
        self.stopping && self.tasks.is_empty()
    }

    /// Dies: all that it had in memory is gone. Gives the webhooks whose connections broke.
    pub(super) fn die(&mut self, rises: Timestamp) -> Vec<u64> {
        let broken = self.tasks.values().filter_map(|(kind, _)| match kind {
            Kind::Ingest(id) => Some(*id),
            _ => None,
        });
        let broken = broken.collect();
        *self = Self { life: self.life, ..Self::new(self.index, rises) };
        broken
    }

    /// What the loops of a node do at this time of their own accord.
    pub(super) fn wake(&mut self, now: Timestamp) -> Vec<(Kind, Task<Done>)> {
        let Some(ctx) = self.ctx.clone().filter(|_| self.ready && self.frozen.is_none()) else { return Vec::new() };
        let mut tasks = Vec::new();
        if self.stopping {
            self.scan_at = None;
        }
        let scans = self.scan_at.is_some_and(|at| at <= now);
        if scans {
            self.scan_at = None;
            let ctx = ctx.clone();
            tasks.push((Kind::Clocks, Task::new(async move { Done::Clocks(workers::run_due_clocks(&ctx).await) })));
        }
        if !self.looking && !self.stopping && (scans || ctx.wake.notified().now_or_never().is_some()) {
            self.looking = true;
            let ctx = ctx.clone();
            tasks.push((Kind::Look, Task::new(async move { Done::Looked(workers::look(&ctx).await) })));
        }
        match self.renew_at {
            Some(at) if at <= now => {
                self.renew_at = Some(now + RENEW);
                tasks.push((Kind::Renew, Task::new(async move { Done::Renewed(workers::renew_leases(&ctx).await) })));
            }
            None if !self.busy.is_empty() => self.renew_at = Some(now + RENEW),
            Some(_) if self.busy.is_empty() => self.renew_at = None,
            _ => {}
        }
        tasks
    }

    /// Starts what a look has found, but for what is under way here.
    pub(super) fn take_up(&mut self, due: workers::Due) -> Vec<(Kind, Task<Done>)> {
        self.looking = false;
        let Some(ctx) = self.ctx.as_ref().filter(|_| !self.stopping) else { return Vec::new() };
        let work = due.turns.into_iter().map(Work::Turn).chain(due.sends.into_iter().map(Work::Send));
        let mut tasks = Vec::new();
        for work in work {
            let (subject, ctx) = (work.subject(), ctx.clone());
            if self.busy.insert(subject) {
                let task = Task::new(async move { Done::Worked(subject, work.execute(ctx).await) });
                tasks.push((Kind::Work, task));
            }
        }
        tasks
    }

    pub(super) fn finished(&mut self, subject: Subject) {
        self.busy.remove(&subject);
    }

    /// Takes a webhook.
    pub(super) fn ingest(&self, id: u64, items: Vec<Told>, body: Vec<u8>) -> Option<(Kind, Task<Done>)> {
        let ctx = self.ctx.clone().filter(|_| !self.stopping)?;
        let signature = gateways::whatsapp::signature::sign(&SecretString::from(APP_SECRET), &body);
        let task = async move {
            let received = ingest::receive(&ctx, Some(&signature), &body).await;
            Done::Ingested(id, items, received)
        };
        Some((Kind::Ingest(id), Task::new(task)))
    }

    /// When it does something next of its own accord.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.ctx.is_none() {
            return Some(self.rises);
        }
        if self.frozen.is_some() {
            return self.frozen;
        }
        [self.scan_at, self.renew_at.filter(|_| !self.busy.is_empty())].into_iter().flatten().min()
    }
}
