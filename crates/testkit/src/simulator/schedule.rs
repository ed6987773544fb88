//! What happens next: one thing at a time, chosen by the seed among all that could.

use super::{
    chance::Chance,
    check,
    node::{Done, Kind, Node},
    people,
    report::{Failure, Outcome},
    task::{Death, Polled, Task},
    template::{BEGAN, PEOPLE, Template},
    traffic::{Item, Told},
    world::World,
};
use domain::{Span, Timestamp};
use runtime::{failpoint, ingest::Received, workers};
use store::{DatabaseUrl, Error, Store, census};

/// Deaths of nodes in a run, at most: it shall come to an end.
const DEATHS: u64 = 12;
/// Nothing in the installation waits longer for anything but people.
const LONGEST_WAIT: Span = Span::from_mins(20);
/// Steps of a run, at most: more is a loop without end.
const STEPS: u64 = 400_000;

/// The parts of a run.
struct Run<'a> {
    template: &'a Template,
    world: World,
    store: Store,
    path: std::path::PathBuf,
    nodes: Vec<Node>,
    chance: Chance,
    task_count: u64,
    /// Something was written since the database was asked what is due next.
    changed: bool,
}

/// Runs a seed to its end and checks what must hold.
pub async fn run(template: &Template, seed: u64) -> Outcome {
    let folder = tempfile::tempdir_in(fast_folder()).expect("a temporary folder");
    let path = folder.path().join("simulated.db");
    std::fs::write(&path, &template.bytes).expect("a copy of the template");
    let world = World::new(seed, BEGAN, Vec::new());
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.expect("the copy opens");
    store.set_lease_clock(BEGAN);
    let mut chance = world.lock().chance.split();
    invite(template, &world, &mut chance);
    let profile = world.lock().profile;
    world.note(format_args!("seed {seed} {profile:?}"));
    let nodes = (0..profile.nodes).map(|index| Node::new(index, BEGAN)).collect();
    hook(&world, &mut chance);
    let mut run = Run { template, world, store, path, nodes, chance, task_count: 0, changed: true };
    let finished = run.go().await;
    store::point::give_way_when(None);
    failpoint::hook(None);
    run.conclude(seed, finished).await
}

/// Memory where there is such a folder: what a crash of a process loses is the same, and no disk is
/// waited for.
fn fast_folder() -> std::path::PathBuf {
    let memory = std::path::PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Some of the people, who send their codes first.
fn invite(template: &Template, world: &World, chance: &mut Chance) {
    let mut people = template.people.clone();
    chance.shuffle(&mut people);
    people.truncate(2 + chance.below(PEOPLE - 1));
    let inner = &mut *world.lock();
    for (person, who) in people.iter_mut().enumerate() {
        who.plan = 4 + chance.below(14);
        let at = BEGAN + chance.millis(0, 3_000);
        let told = Told::Message { person, wamid: people::code_wamid(person), text: who.code.clone() };
        inner.outgoing.push(Item { due: at, written: at, told });
    }
    inner.people = people;
}

/// Lets statements and failpoints of this thread be places where something may happen.
fn hook(world: &World, chance: &mut Chance) {
    let (statements, failpoints) = {
        let profile = world.lock().profile;
        (profile.statements, profile.failpoints)
    };
    let mut gives_way = chance.split();
    store::point::give_way_when(Some(Box::new(move || gives_way.permille(statements))));
    let world = world.clone();
    failpoint::hook(Some(Box::new(move |name| {
        let dies = {
            // Few come to a tool or a timer.
            let often =
                if name.starts_with("tool") || name.starts_with("timer") { failpoints * 10 } else { failpoints };
            let inner = &mut *world.lock();
            inner.counts.deaths < DEATHS && inner.fault(often)
        };
        if dies {
            world.note(format_args!("death at {name}"));
            world.lock().died_at.insert(name.to_owned());
            std::panic::resume_unwind(Box::new(Death));
        }
    })));
}

impl Run<'_> {
    /// Until there is nothing left to happen. An error says why that could not be reached.
    async fn go(&mut self) -> Result<(), String> {
        // Sometimes long enough for a warm end's timer to fire while nodes still die.
        let longest = if self.chance.permille(250) { 600_000 } else { 60_000 };
        let heal_after = self.chance.millis(0, longest);
        let mut sleeps = self.chance.permille(250);
        let mut heals: Option<Timestamp> = None;
        for _ in 0..STEPS {
            // The store's own clean-up after a dropped transaction runs beside us.
            tokio::task::yield_now().await;
            let now = self.world.now();
            self.rise(now);
            for index in 0..self.nodes.len() {
                let tasks = self.nodes[index].wake(now);
                self.add(index, tasks);
            }
            if let Some((node, task)) = self.choose() {
                self.poll(node, task).await;
                continue;
            }
            if heals.is_none() && self.all_was_said() {
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
                // Everybody is silent for a day: what waits for that happens, too.
                _ if healed && std::mem::take(&mut sleeps) => self.forward(now + Span::from_hours(25)),
                _ if healed => return Ok(()),
                _ => return Err("nothing happens any more".into()),
            }
        }
        Err(format!("no end after {STEPS} steps"))
    }

    fn all_was_said(&self) -> bool {
        let inner = self.world.lock();
        let asked =
            inner.people.iter().enumerate().all(|(person, _)| inner.acked.contains(&people::code_wamid(person)));
        asked && !inner.outgoing.iter().any(|item| matches!(item.told, Told::Message { .. }))
    }

    /// From here on nothing goes wrong.
    fn heal(&mut self, now: Timestamp) {
        self.world.lock().healed = true;
        self.world.note("healed");
        for node in &mut self.nodes {
            node.frozen = node.frozen.map(|_| now);
            node.rises = now;
        }
        self.changed = true;
    }

    /// Dead nodes whose time has come start; frozen ones go on.
    fn rise(&mut self, now: Timestamp) {
        for index in 0..self.nodes.len() {
            let alone = self.nodes.len() == 1;
            let node = &mut self.nodes[index];
            if node.is_done() {
                node.die(now);
                self.world.note(format_args!("node {index} has stopped"));
            }
            if node.frozen.is_some_and(|until| until <= now) {
                node.frozen = None;
                node.draining.clear();
                self.world.note(format_args!("node {index} goes on"));
                self.changed = true;
            }
            if node.ctx.is_none() && node.rises <= now {
                let task = node.start(&self.world, &self.store, self.template, alone);
                self.world.note(format_args!("node {index} starts life {}", self.nodes[index].life));
                self.add(index, vec![(Kind::Start, task)]);
            }
        }
    }

    fn add(&mut self, node: usize, tasks: Vec<(Kind, Task<Done>)>) {
        for task in tasks {
            self.task_count += 1;
            self.nodes[node].tasks.insert(self.task_count, task);
        }
    }

    /// One of the tasks that can go on.
    fn choose(&mut self) -> Option<(usize, u64)> {
        let mut ready = Vec::new();
        for node in &self.nodes {
            for (id, (_, task)) in &node.tasks {
                if task.is_ready() && (node.frozen.is_none() || node.draining.contains(id)) {
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
            Polled::Died => return self.kill(index).await,
            Polled::Done(done) => {
                node.tasks.remove(&id);
                node.draining.remove(&id);
                self.done(index, done);
            }
        }
        let (dies, freezes, stops) = {
            let inner = &mut *self.world.lock();
            let profile = inner.profile;
            let dies = inner.counts.deaths < DEATHS && inner.fault(profile.deaths);
            (dies, inner.fault(profile.pauses), inner.fault(profile.stops))
        };
        if dies {
            self.kill(index).await;
        } else if freezes {
            self.freeze(index);
        } else if stops {
            self.stop(index);
        }
    }

    async fn kill(&mut self, index: usize) {
        let now = self.world.now();
        let rises = now + self.chance.millis(50, 6_000);
        let broken = self.nodes[index].die(rises);
        {
            let inner = &mut *self.world.lock();
            inner.counts.deaths += 1;
            inner.history.note(now, format!("node {index} is dead"));
            inner.cut(index);
            for id in broken {
                inner.refused(id, now);
            }
        }
        if self.nodes.len() == 1 && self.chance.permille(200) {
            // As a new process would: from the file alone. What the old one left to be committed is
            // committed first.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            self.store.close().await;
            self.store = Store::open(&DatabaseUrl::Sqlite(self.path.clone())).await.expect("the file opens again");
            self.store.set_lease_clock(now);
        }
    }

    /// A node is asked to stop, as for an upgrade.
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

    /// A node stands still, as if its process were stopped; often what it is in the middle of comes
    /// to a rest first.
    fn freeze(&mut self, index: usize) {
        let now = self.world.now();
        let node = &mut self.nodes[index];
        if node.frozen.is_some() || node.ctx.is_none() {
            return;
        }
        let span =
            if self.chance.permille(500) { self.chance.millis(200, 6_000) } else { self.chance.millis(9_000, 45_000) };
        if self.chance.permille(700) {
            node.draining = node.tasks.iter().filter(|(_, (_, task))| task.is_ready()).map(|(id, _)| *id).collect();
        }
        node.frozen = Some(now + span);
        let inner = &mut *self.world.lock();
        inner.counts.pauses += 1;
        inner.history.note(now, format!("node {index} stands still for {} ms", span.millis()));
    }

    fn done(&mut self, index: usize, done: Done) {
        let now = self.world.now();
        self.changed = true;
        match done {
            Done::Started(result) => {
                self.nodes[index].ready = result.is_ok();
                self.nodes[index].scan_at = Some(now);
                self.expect_fine(index, "start", result);
            }
            Done::Looked(Ok(seen)) => {
                let tasks = self.nodes[index].take_up(seen);
                self.add(index, tasks);
            }
            Done::Looked(Err(error)) => {
                self.nodes[index].take_up(workers::Due::default());
                self.expect_fine(index, "look", Err(error));
            }
            Done::Clocks(result) => self.expect_fine(index, "clocks", result),
            Done::Renewed(result) => self.expect_fine(index, "renew", result),
            Done::Worked(subject, result) => {
                self.nodes[index].finished(subject);
                self.world.note(format_args!("node {index} worked on {subject:?}: {result:?}"));
                if matches!(result, Err(Error::StaleEpoch)) {
                    self.world.lock().counts.stale += 1;
                } else {
                    self.expect_fine(index, "work", result);
                }
            }
            Done::Ingested(id, items, received) => {
                let inner = &mut *self.world.lock();
                inner.history.note(now, format!("webhook {id} at node {index}: {received:?}"));
                match received {
                    Received::Stored => inner.taken(id, &items, now),
                    Received::Failed => inner.refused(id, now),
                    other => inner.violation(now, format!("a signed webhook was answered {other:?}")),
                }
            }
        }
    }

    /// Nothing in the simulated world is a reason for any error but a stale epoch.
    fn expect_fine(&self, index: usize, what: &str, result: store::Result<()>) {
        if let Err(error) = result {
            let now = self.world.now();
            self.world.lock().violation(now, format!("{what} of node {index} failed: {error}"));
        }
    }

    /// Nodes look for due work every 250 ms; only the looks that can find something are made.
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

    /// When something happens next.
    fn next(&self, heals: Option<Timestamp>) -> Option<Timestamp> {
        let nodes = self.nodes.iter().filter_map(Node::next);
        let meta = self.world.lock().next_of_meta();
        nodes.chain(meta).chain(self.world.timeline.next()).chain(heals).min()
    }

    /// Moves all clocks to `at` and lets what is due there begin.
    fn forward(&mut self, at: Timestamp) {
        let now = self.world.now();
        self.world.clock.forward((at - now).max(Span::ZERO));
        let now = self.world.now();
        self.store.set_lease_clock(now);
        self.world.timeline.call();
        let due: Vec<u64> = {
            let inner = &mut *self.world.lock();
            inner.accept(now);
            inner.pack(now);
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
        let Some(task) = self.nodes[index].ingest(id, items, body) else { return inner.refused(id, now) };
        inner.history.note(now, format!("webhook {id} to node {index}"));
        self.task_count += 1;
        self.nodes[index].tasks.insert(self.task_count, task);
    }

    /// Checks what must hold and counts.
    async fn conclude(self, seed: u64, finished: Result<(), String>) -> Outcome {
        let checked = check::all(&self.world, &self.store, self.template).await;
        let mut inner = self.world.lock();
        if let Err(why) = finished {
            inner.violations.push(why);
        }
        let mut wrong = std::mem::take(&mut inner.violations);
        wrong.extend(checked.wrong);
        let mut counts = inner.counts;
        counts.excused_doubles = checked.excused_doubles;
        let history = std::mem::take(&mut inner.history);
        let died_at = std::mem::take(&mut inner.died_at);
        let fingerprint = history.fingerprint();
        let failure = (!wrong.is_empty()).then(|| Failure { seed, wrong, history: history.into_lines() });
        Outcome { fingerprint, counts, executions: checked.executions, died_at, failure }
    }
}
