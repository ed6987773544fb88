//! Two nodes on one PostgreSQL while several people write all the time: one of them is killed again and again, and what it
//! was doing goes on within 15 s, with every question answered once (reliability.md promise G4 and fault 2).

use std::time::{Duration, Instant, SystemTime};

use testkit::database::TestDatabase;

use super::{
    pair::Pair,
    dialogs::{self, Asked, Talk, Talks},
    tell,
    world::PATIENCE,
};

const PEOPLE: usize = 8;
/// From one kill to the next: shorter than a lease, so that turns wait while others begin.
const BETWEEN: Duration = Duration::from_secs(4);
/// How long a node may be waited for that has something in hand.
const IDLE: Duration = Duration::from_secs(4);
const TAKEOVER: Duration = Duration::from_secs(15);
/// A node that lives hears the end of its sends; of a dead one's, statuses have had a whole lease to tell.
const WINDOW_MS: &str = "1500";

#[test]
fn what_a_killed_node_was_doing_goes_on_within_15_seconds_and_nothing_is_said_twice() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let kills = std::env::var("CHASQUI_CRASH_KILLS").map_or(20, |text| text.parse().unwrap());
    let seed = std::env::var("CHASQUI_CRASH_SEED").map_or_else(|_| seconds_now(), |text| text.parse().unwrap());
    tell(&format!("{kills} kills with CHASQUI_CRASH_SEED={seed}"));
    let began = Instant::now();
    let (world, asked) = dialogs::world();
    let mut nodes = Pair::start(&world, &[("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", WINDOW_MS)]);
    let mut talks = Talks::begin(&world, PEOPLE);
    let mut turns = Takeovers { asked, hit: Vec::new(), restarted: Times::default(), replaced: Times::default() };
    let mut dice = Dice(seed);
    let mut last_kill = Instant::now();
    let mut killed = 0;
    let mut heard = Instant::now();
    while killed < kills || !talks.are_over() {
        if killed < kills {
            talks.ask(usize::MAX);
        }
        let answered = talks.listen();
        if !answered.is_empty() {
            heard = Instant::now();
        }
        turns.note(&answered);
        nodes.look_after();
        assert!(heard.elapsed() < PATIENCE, "nobody is answered any more");
        let victim = dice.roll(2);
        let waited = last_kill.elapsed();
        if killed < kills && waited > BETWEEN && nodes.are_both_up() {
            let in_hand = turns.in_hand(&nodes.all[victim].name, &talks);
            if in_hand.len() > 1 || waited > BETWEEN + IDLE {
                let replaced = killed % 2 == 1;
                nodes.kill(victim, replaced);
                turns.hit(in_hand, replaced);
                (killed, last_kill) = (killed + 1, Instant::now());
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let answers = talks.check();
    let took = began.elapsed().as_secs();
    tell(&format!(
        "{answers} answers to {PEOPLE} people, {kills} kills, {took} s; turns of killed nodes went on after:"
    ));
    for (who, times) in [("restarted", &mut turns.restarted), ("replaced", &mut turns.replaced)] {
        tell(&format!("  {who:<10} {}; {} at the answer", shown(&mut times.gone_on), shown(&mut times.answered)));
        assert!(!times.gone_on.is_empty(), "no kill of a node that is {who} hit a turn");
        let p99 = percentile(&times.gone_on, 99);
        assert!(p99 < TAKEOVER, "{p99:?} until another node went on");
    }
}

/// When what a killed node had in hand went on.
struct Takeovers {
    asked: Asked,
    hit: Vec<Hit>,
    /// The node came back as itself, and voided its own leases.
    restarted: Times,
    /// Another one came in its place: the leases had to run out.
    replaced: Times,
}

/// A question that was in a killed node's hands.
struct Hit {
    question: String,
    at: Instant,
    replaced: bool,
    gone_on: bool,
}

/// Since the kill.
#[derive(Default)]
struct Times {
    /// The model was asked again, or the phone showed the answer.
    gone_on: Vec<Duration>,
    answered: Vec<Duration>,
}

impl Takeovers {
    /// Open questions that this node was the last to ask the model.
    fn in_hand(&self, node: &str, talks: &Talks<'_>) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let last = |question: &String| asked.iter().rev().find(|(_, _, other)| other == question);
        let open = talks.all.iter().filter_map(Talk::open);
        open.filter(|question| last(question).is_some_and(|(_, asker, _)| asker == node)).collect()
    }

    fn hit(&mut self, questions: Vec<String>, replaced: bool) {
        self.hit.retain(|hit| !questions.contains(&hit.question));
        let at = Instant::now();
        self.hit.extend(questions.into_iter().map(|question| Hit { question, at, replaced, gone_on: false }));
    }

    fn note(&mut self, answered: &[String]) {
        let asked = self.asked.lock().unwrap();
        for hit in &mut self.hit {
            let times = if hit.replaced { &mut self.replaced } else { &mut self.restarted };
            let is_answered = answered.contains(&hit.question);
            let again = asked.iter().rev().take_while(|(at, ..)| *at > hit.at);
            let again = again.filter(|(_, _, question)| *question == hit.question).last();
            let at = again.map(|(at, ..)| *at).or_else(|| is_answered.then(Instant::now));
            if let Some(at) = at.filter(|_| !std::mem::replace(&mut hit.gone_on, at.is_some())) {
                times.gone_on.push(at - hit.at);
            }
            if is_answered {
                times.answered.push(hit.at.elapsed());
            }
        }
        self.hit.retain(|hit| !answered.contains(&hit.question));
    }
}

/// The smallest value that this many of a hundred do not exceed.
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

/// Which node dies next; the same seed rolls the same numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
