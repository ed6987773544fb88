//! Scheduler: chooses the next event among the possible ones, by the seed.

use super::{
    chance::Chance,
    check,
    node::{Node, TaskKind, TaskResult},
    people,
    report::{Failure, Outcome},
    task::{Crash, Polled, Task},
    template::{BEGAN, PEOPLE, Template},
    traffic::{Event, Item},
    world::World,
};
use domain::{Span, Timestamp};
use runtime::{failpoint, ingest::Received, workers};
use store::{DatabaseUrl, Error, Store, census};

/// Most crashes of nodes in a run, so that it ends.
const MAX_CRASHES: u64 = 12;
/// Longest wait in the installation, except for contacts.
const LONGEST_WAIT: Span = Span::from_mins(20);
/// Most steps of a run; more mean an endless loop.
const MAX_STEPS: u64 = 400_000;

/// State of a run.
struct Run<'a> {
    template: &'a Template,
    world: World,
    store: Store,
    path: std::path::PathBuf,
    nodes: Vec<Node>,
    chance: Chance,
    task_count: u64,
    /// The database may have changed since the last read of the next due time.
    changed: bool,
}

/// Runs a seed to its end and checks the invariants.
pub async fn run(template: &Template, seed: u64) -> Outcome {
    let folder = tempfile::tempdir_in(fast_folder()).expect("a temporary folder");
    let path = folder.path().join("simulated.db");
    std::fs::write(&path, &template.bytes).expect("a copy of the template");
    let world = World::new(seed, BEGAN, Vec::new());
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.expect("the copy opens");
    store.set_lease_clock(BEGAN);
    let mut chance = world.lock().chance.split();
    choose_people(template, &world, &mut chance);
    let profile = world.lock().profile;
    world.note(format_args!("seed {seed} {profile:?}"));
    let nodes = (0..profile.nodes).map(|index| Node::new(index, BEGAN)).collect();
    hook(&world, &mut chance);
    let mut run = Run { template, world, store, path, nodes, chance, task_count: 0, changed: true };
    let finished = run.run().await;
    store::point::give_way_when(None);
    failpoint::hook(None);
    run.into_outcome(seed, finished).await
}

/// Folder in memory, if there is one. A process crash loses the same as on disk, and it is faster.
fn fast_folder() -> std::path::PathBuf {
    let memory = std::path::PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Chooses the contacts of the run, who first send their codes.
fn choose_people(template: &Template, world: &World, chance: &mut Chance) {
    let mut people = template.people.clone();
    chance.shuffle(&mut people);
    people.truncate(2 + chance.below(PEOPLE - 1));
    let inner = &mut *world.lock();
    for (person, who) in people.iter_mut().enumerate() {
        who.message_count = 4 + chance.below(14);
        let at = BEGAN + chance.millis(0, 3_000);
        let event = Event::Message { person, wamid: people::code_wamid(person), text: who.code.clone() };
        inner.outgoing.push(Item { due: at, occurred: at, event });
    }
    inner.people = people;
}

/// Installs the hooks that make tasks yield at statements and crash at failpoints.
fn hook(world: &World, chance: &mut Chance) {
    let (statements, failpoints) = {
        let profile = world.lock().profile;
        (profile.statements, profile.failpoints)
    };
    let mut yields = chance.split();
    store::point::give_way_when(Some(Box::new(move || yields.permille(statements))));
    let world = world.clone();
    failpoint::hook(Some(Box::new(move |name| {
        let dies = {
            // Tools and timers are rare.
            let often =
                if name.starts_with("tool") || name.starts_with("timer") { failpoints * 10 } else { failpoints };
            let inner = &mut *world.lock();
            inner.counts.deaths < MAX_CRASHES && inner.fault(often)
        };
        if dies {
            world.note(format_args!("death at {name}"));
            world.lock().crashed_at.insert(name.to_owned());
            std::panic::resume_unwind(Box::new(Crash));
        }
    })));
}

impl Run<'_> {
    /// Runs until no event is left. The error is the reason why the run did not end.
    async fn run(&mut self) -> Result<(), String> {
        // Sometimes long enough for a warm end's timer to fire while nodes still crash.
        let longest = if self.chance.permille(250) { 600_000 } else { 60_000 };
        let heal_after = self.chance.millis(0, longest);
        let mut sleeps = self.chance.permille(250);
        let mut heals: Option<Timestamp> = None;
        for _ in 0..MAX_STEPS {
            // Let the store clean up dropped transactions on its own task.
            tokio::task::yield_now().await;
            let now = self.world.now();
            self.start_nodes(now);
            for index in 0..self.nodes.len() {
                let tasks = self.nodes[index].due_tasks(now);
                self.add(index, tasks);
            }
            if let Some((node, task)) = self.choose() {
                self.poll(node, task).await;
                continue;
            }
            if heals.is_none() && self.all_messages_are_sent() {
                heals = Some(now + heal_after);
            }
            if heals.is_some_and(|at| at <= now) && !self.world.lock().healed {
                self.heal(now);
                continue;
            }
            self.plan_scans(now).await;
            let healed = self.world.lock().healed;
            let next = self.next(heals.filter(|_| !healed));
            match next {
                Some(at) if !healed || at - now < LONGEST_WAIT => self.forward(at),
                // Contacts are silent for a day, so that longer timers fire too.
                _ if healed && std::mem::take(&mut sleeps) => self.forward(now + Span::from_hours(25)),
                _ if healed => return Ok(()),
                _ => return Err("nothing happens any more".into()),
            }
        }
        Err(format!("no end after {MAX_STEPS} steps"))
    }

    fn all_messages_are_sent(&self) -> bool {
        let inner = self.world.lock();
        let asked =
            inner.people.iter().enumerate().all(|(person, _)| inner.acked.contains(&people::code_wamid(person)));
        asked && !inner.outgoing.iter().any(|item| matches!(item.event, Event::Message { .. }))
    }

    /// Ends all faults.
    fn heal(&mut self, now: Timestamp) {
        self.world.lock().healed = true;
        self.world.note("healed");
        for node in &mut self.nodes {
            node.paused_until = node.paused_until.map(|_| now);
            node.restart_at = now;
        }
        self.changed = true;
    }

    /// Starts crashed nodes and resumes paused ones when it is time.
    fn start_nodes(&mut self, now: Timestamp) {
        for index in 0..self.nodes.len() {
            let is_only_node = self.nodes.len() == 1;
            let node = &mut self.nodes[index];
            if node.is_done() {
                node.crash(now);
                self.world.note(format_args!("node {index} has stopped"));
            }
            if node.paused_until.is_some_and(|until| until <= now) {
                node.paused_until = None;
                node.draining.clear();
                self.world.note(format_args!("node {index} continues"));
                self.changed = true;
            }
            if node.ctx.is_none() && node.restart_at <= now {
                let task = node.start(&self.world, &self.store, self.template, is_only_node);
                self.world.note(format_args!("node {index} starts life {}", self.nodes[index].run));
                self.add(index, vec![(TaskKind::Start, task)]);
            }
        }
    }

    fn add(&mut self, node: usize, tasks: Vec<(TaskKind, Task<TaskResult>)>) {
        for task in tasks {
            self.task_count += 1;
            self.nodes[node].tasks.insert(self.task_count, task);
        }
    }

    /// Chooses one of the tasks that can continue.
    fn choose(&mut self) -> Option<(usize, u64)> {
        let mut ready = Vec::new();
        for node in &self.nodes {
            for (id, (_, task)) in &node.tasks {
                if task.is_ready() && (node.paused_until.is_none() || node.draining.contains(id)) {
                    ready.push((node.index, *id));
                }
            }
        }
        (!ready.is_empty()).then(|| *self.chance.pick(&ready))
    }

    async fn poll(&mut self, index: usize, id: u64) {
        let node = &mut self.nodes[index];
        let Some((_, task)) = node.tasks.get_mut(&id) else { return };
        let polled = task.poll();
        if !task.is_ready() {
            node.draining.remove(&id);
        }
        match polled {
            Polled::Waits => {}
            Polled::Crashed => return self.crash(index).await,
            Polled::Done(done) => {
                node.tasks.remove(&id);
                node.draining.remove(&id);
                self.done(index, done);
            }
        }
        let (dies, freezes, stops) = {
            let inner = &mut *self.world.lock();
            let profile = inner.profile;
            let dies = inner.counts.deaths < MAX_CRASHES && inner.fault(profile.deaths);
            (dies, inner.fault(profile.pauses), inner.fault(profile.stops))
        };
        if dies {
            self.crash(index).await;
        } else if freezes {
            self.pause_node(index);
        } else if stops {
            self.stop(index);
        }
    }

    async fn crash(&mut self, index: usize) {
        let now = self.world.now();
        let restart_at = now + self.chance.millis(50, 6_000);
        let broken = self.nodes[index].crash(restart_at);
        {
            let inner = &mut *self.world.lock();
            inner.counts.deaths += 1;
            inner.history.note(now, format!("node {index} is dead"));
            inner.drop_requests(index);
            for id in broken {
                inner.retry_later(id, now);
            }
        }
        if self.nodes.len() == 1 && self.chance.permille(200) {
            // Reopens the file as a new process would, after pending commits are done.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            self.store.close().await;
            self.store = Store::open(&DatabaseUrl::Sqlite(self.path.clone())).await.expect("the file opens again");
            self.store.set_lease_clock(now);
        }
    }

    /// Begins a graceful stop, as for an upgrade.
    fn stop(&mut self, index: usize) {
        let now = self.world.now();
        let node = &mut self.nodes[index];
        if node.ready && !node.stopping {
            node.stop();
            let inner = &mut *self.world.lock();
            inner.counts.stops += 1;
            inner.history.note(now, format!("node {index} is asked to stop"));
        }
    }

    /// Pauses a node, as if its process were stopped. Often its tasks first reach their next await.
    fn pause_node(&mut self, index: usize) {
        let now = self.world.now();
        let node = &mut self.nodes[index];
        if node.paused_until.is_some() || node.ctx.is_none() {
            return;
        }
        let span =
            if self.chance.permille(500) { self.chance.millis(200, 6_000) } else { self.chance.millis(9_000, 45_000) };
        if self.chance.permille(700) {
            node.draining = node.tasks.iter().filter(|(_, (_, task))| task.is_ready()).map(|(id, _)| *id).collect();
        }
        node.paused_until = Some(now + span);
        let inner = &mut *self.world.lock();
        inner.counts.pauses += 1;
        inner.history.note(now, format!("node {index} stands still for {} ms", span.millis()));
    }

    fn done(&mut self, index: usize, done: TaskResult) {
        let now = self.world.now();
        self.changed = true;
        match done {
            TaskResult::Started(result) => {
                self.nodes[index].ready = result.is_ok();
                self.nodes[index].scan_at = Some(now);
                self.report_unexpected(index, "start", result);
            }
            TaskResult::Scanned(Ok(seen)) => {
                let tasks = self.nodes[index].start_work(seen);
                self.add(index, tasks);
            }
            TaskResult::Scanned(Err(error)) => {
                self.nodes[index].start_work(workers::Due::default());
                self.report_unexpected(index, "scan", Err(error));
            }
            TaskResult::Timers(result) => self.report_unexpected(index, "timers", result),
            TaskResult::Renewed(result) => self.report_unexpected(index, "renew", result),
            TaskResult::Worked(subject, result) => {
                self.nodes[index].finished(subject);
                self.world.note(format_args!("node {index} worked on {subject:?}: {result:?}"));
                if matches!(result, Err(Error::StaleEpoch)) {
                    self.world.lock().counts.stale += 1;
                } else {
                    self.report_unexpected(index, "work", result);
                }
            }
            TaskResult::Ingested(id, items, received) => {
                let inner = &mut *self.world.lock();
                inner.history.note(now, format!("webhook {id} at node {index}: {received:?}"));
                match received {
                    Received::Stored => inner.acknowledged(id, &items, now),
                    Received::Failed => inner.retry_later(id, now),
                    other => inner.violation(now, format!("a signed webhook was answered {other:?}")),
                }
            }
        }
    }

    /// Reports any error except a stale epoch, because no fault of the simulation causes others.
    fn report_unexpected(&self, index: usize, what: &str, result: store::Result<()>) {
        if let Err(error) = result {
            let now = self.world.now();
            self.world.lock().violation(now, format!("{what} of node {index} failed: {error}"));
        }
    }

    /// Plans the next scan of each node. Nodes scan every 250 ms; useless scans are skipped.
    async fn plan_scans(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let mut reader = self.store.read().await.expect("a reader");
        let due = census::next_due(&mut reader.conn()).await.expect("a read");
        for node in &mut self.nodes {
            let at = due.map(|due| Timestamp::from_micros(due).max(now) + self.chance.millis(1, 250));
            node.scan_at = at.filter(|_| node.ready && !node.stopping);
        }
    }

    /// Time of the next event.
    fn next(&self, heals: Option<Timestamp>) -> Option<Timestamp> {
        let nodes = self.nodes.iter().filter_map(Node::next);
        let meta = self.world.lock().next_meta_action();
        nodes.chain(meta).chain(self.world.timeline.next()).chain(heals).min()
    }

    /// Moves all clocks to `at` and starts what is due then.
    fn forward(&mut self, at: Timestamp) {
        let now = self.world.now();
        self.world.clock.forward((at - now).max(Span::ZERO));
        let now = self.world.now();
        self.store.set_lease_clock(now);
        self.world.timeline.wake_due();
        let due: Vec<u64> = {
            let inner = &mut *self.world.lock();
            inner.accept_arrived(now);
            inner.build_webhooks(now);
            inner.deliveries.iter().filter(|(_, delivery)| delivery.at <= now).map(|(id, _)| *id).collect()
        };
        for id in due {
            self.deliver(id, now);
        }
    }

    fn deliver(&mut self, id: u64, now: Timestamp) {
        let index = self.chance.below(self.nodes.len());
        let inner = &mut *self.world.lock();
        let Some((body, items)) = inner.attempt(id, now) else { return };
        let Some(task) = self.nodes[index].ingest(id, items, body) else { return inner.retry_later(id, now) };
        inner.history.note(now, format!("webhook {id} to node {index}"));
        self.task_count += 1;
        self.nodes[index].tasks.insert(self.task_count, task);
    }

    /// Checks the invariants and builds the outcome.
    async fn into_outcome(self, seed: u64, finished: Result<(), String>) -> Outcome {
        let checked = check::all(&self.world, &self.store, self.template).await;
        let mut inner = self.world.lock();
        if let Err(why) = finished {
            inner.violations.push(why);
        }
        let mut wrong = std::mem::take(&mut inner.violations);
        wrong.extend(checked.wrong);
        let mut counts = inner.counts;
        counts.reported_duplicates = checked.reported_duplicates;
        let history = std::mem::take(&mut inner.history);
        let crashed_at = std::mem::take(&mut inner.crashed_at);
        let fingerprint = history.fingerprint();
        let failure = (!wrong.is_empty()).then(|| Failure { seed, wrong, history: history.into_lines() });
        Outcome { fingerprint, counts, executions: checked.executions, crashed_at, failure }
    }
}
