//! Two nodes on one PostgreSQL under constant load. One of them is killed repeatedly. Its turns
//! continue within 15 s, and every question is answered once (docs/spec/reliability.md, promise G4
//! and fault 2).

use std::time::{Duration, Instant, SystemTime};

use testkit::database::TestDatabase;

use super::{
    dialogs::{self, Asked, Dialog, Dialogs},
    pair::Pair,
    print_line,
    world::PATIENCE,
};
use crate::program::json;

const PEOPLE: usize = 8;
/// Time between kills. Shorter than a lease, so that some turns wait while others begin.
const KILL_INTERVAL: Duration = Duration::from_secs(4);
/// Extra wait for a node that has open turns.
const MAX_IDLE: Duration = Duration::from_secs(4);
const MAX_RECLAIM: Duration = Duration::from_secs(15);
/// Reconcile window. It can be short: a living node sees the end of its sends, and a dead one's
/// sends have had a whole lease to receive statuses.
const WINDOW_MS: &str = "1500";

#[test]
fn turns_of_killed_nodes_continue_within_15_seconds_without_duplicates() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let kills = std::env::var("CHASQUI_CRASH_KILLS").map_or(20, |text| text.parse().unwrap());
    let seed = std::env::var("CHASQUI_CRASH_SEED").map_or_else(|_| seconds_now(), |text| text.parse().unwrap());
    print_line(&format!("{kills} kills with CHASQUI_CRASH_SEED={seed}"));
    let began = Instant::now();
    let (world, asked) = dialogs::world();
    let mut nodes = Pair::start(&world, &[("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", WINDOW_MS)]);
    let mut dialogs = Dialogs::begin(&world, PEOPLE);
    let mut turns = Reclaims { asked, hit: Vec::new(), restarted: Times::default(), replaced: Times::default() };
    let mut random = SeededRandom(seed);
    let mut last_kill = Instant::now();
    let mut killed = 0;
    let mut last_answer = Instant::now();
    while killed < kills || !dialogs.are_over() {
        if killed < kills {
            dialogs.ask(usize::MAX);
        }
        let answered = dialogs.read_answers();
        if !answered.is_empty() {
            last_answer = Instant::now();
        }
        turns.note(&answered);
        nodes.refresh();
        assert!(last_answer.elapsed() < PATIENCE, "no more answers arrive");
        let victim = random.below(2);
        let waited = last_kill.elapsed();
        if killed < kills && waited > KILL_INTERVAL && nodes.are_both_running() {
            let open_questions = turns.open_questions(&nodes.all[victim].name, &dialogs);
            if open_questions.len() > 1 || waited > KILL_INTERVAL + MAX_IDLE {
                let replaced = killed % 2 == 1;
                nodes.kill(victim, replaced);
                turns.hit(open_questions, replaced);
                (killed, last_kill) = (killed + 1, Instant::now());
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let answers = dialogs.check();
    let parked = json(&world.home.run(&["executions", "list", "--parked", "--json"]));
    assert_eq!(parked["data"], serde_json::json!([]), "random kills are no reason to park work");
    let took = began.elapsed().as_secs();
    print_line(&format!(
        "{answers} answers to {PEOPLE} people, {kills} kills, {took} s; turns of killed nodes continued after:"
    ));
    for (kind, times) in [("restarted", &mut turns.restarted), ("replaced", &mut turns.replaced)] {
        print_line(&format!(
            "  {kind:<10} {}; {} at the answer",
            shown(&mut times.continued),
            shown(&mut times.answered)
        ));
        assert!(!times.continued.is_empty(), "no kill of a node that is {kind} hit a turn");
        // `shown` has sorted the times. A turn whose next node is killed as well, before it asks the
        // model, waits for a second lease; among these few turns that is one at most.
        let (longest, others) = times.continued.split_last().unwrap();
        assert!(*longest < MAX_RECLAIM * 2, "a turn continued after {longest:?}");
        assert!(others.iter().all(|took| *took < MAX_RECLAIM), "until the turns continued: {others:?}");
    }
}

/// Times until the turns of killed nodes continued.
struct Reclaims {
    asked: Asked,
    hit: Vec<Hit>,
    /// The node restarted under its own identity and voided its leases.
    restarted: Times,
    /// A new node replaced it: the leases had to expire.
    replaced: Times,
}

/// Question that a killed node was processing.
struct Hit {
    question: String,
    at: Instant,
    replaced: bool,
    continued: bool,
}

/// Times since the kill.
#[derive(Default)]
struct Times {
    /// Until the model was called again or the answer arrived.
    continued: Vec<Duration>,
    answered: Vec<Duration>,
}

impl Reclaims {
    /// Open questions whose latest model request came from this node.
    fn open_questions(&self, node: &str, dialogs: &Dialogs<'_>) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let last = |question: &String| asked.iter().rev().find(|(_, _, other)| other == question);
        let open = dialogs.all.iter().filter_map(Dialog::open);
        open.filter(|question| last(question).is_some_and(|(_, asking_node, _)| asking_node == node)).collect()
    }

    fn hit(&mut self, questions: Vec<String>, replaced: bool) {
        self.hit.retain(|hit| !questions.contains(&hit.question));
        let at = Instant::now();
        self.hit.extend(questions.into_iter().map(|question| Hit { question, at, replaced, continued: false }));
    }

    fn note(&mut self, answered: &[String]) {
        let asked = self.asked.lock().unwrap();
        for hit in &mut self.hit {
            let times = if hit.replaced { &mut self.replaced } else { &mut self.restarted };
            let is_answered = answered.contains(&hit.question);
            let again = asked.iter().rev().take_while(|(at, ..)| *at > hit.at);
            let again = again.filter(|(_, _, question)| *question == hit.question).last();
            let at = again.map(|(at, ..)| *at).or_else(|| is_answered.then(Instant::now));
            if let Some(at) = at.filter(|_| !std::mem::replace(&mut hit.continued, at.is_some())) {
                times.continued.push(at - hit.at);
            }
            if is_answered {
                times.answered.push(hit.at.elapsed());
            }
        }
        self.hit.retain(|hit| !answered.contains(&hit.question));
    }
}

/// Percentile of sorted values.
fn percentile(sorted: &[Duration], of_100: usize) -> Duration {
    sorted[(sorted.len() * of_100).div_ceil(100).saturating_sub(1)]
}

fn shown(times: &mut [Duration]) -> String {
    times.sort_unstable();
    if times.is_empty() {
        return "none".into();
    }
    let at = |of_100| percentile(times, of_100).as_millis();
    format!("{} turns, p50 {} ms, p99 {} ms, longest {} ms", times.len(), at(50), at(99), at(100))
}

/// Random choice of the next node to kill, from a seed.
struct SeededRandom(u64);

impl SeededRandom {
    fn below(&mut self, end: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end).unwrap()
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
