//! A model that gives any answer. Nothing panics, no tool runs that the node does not offer, every turn ends, a strict
//! provider accepts every request, and every execution replays from its inputs.
//!
//! `Play` checks each step (see `check.rs`); this folder holds the model, the faults of its world, and the checks of a
//! whole turn. A short run is part of every test run, from a fresh seed that a failure prints. The long run, which must
//! also reach everything often enough, is a stage of `cargo xtask test --full`:
//!
//! ```text
//! HOSTILE_TURNS=100000 cargo test -p chasqui-engine --test it hostile_model -- --nocapture
//! HOSTILE_SEED=1234 repeats the play of one seed
//! ```

mod answers;
mod coverage;
mod world;

use crate::{
    agents,
    chance::{self, Chance},
};
use coverage::{Coverage, named_in_sources};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Instant,
};
use world::HostileWorld;

/// Turns of the short run.
const SLICE: u64 = 600;
/// The long run must reach each tool, code and limit this often.
const LEAST: u64 = 100;

/// Plays with seeds from `seed` on, on every core, until so many turns are over.
fn plays(seed: u64, turns: u64) -> Coverage {
    let began = Instant::now();
    let (played, next) = (AtomicU64::new(0), AtomicU64::new(seed));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let run = || {
        let mut coverage = Coverage::default();
        while played.load(Relaxed) < turns {
            let seed = next.fetch_add(1, Relaxed);
            played.fetch_add(play(seed, &mut coverage), Relaxed);
        }
        coverage
    };
    let mut all = Coverage::default();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        for thread in running {
            all.add(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    });
    eprintln!("{} turns from seed {seed} in {:?}\n{}", played.load(Relaxed), began.elapsed(), all.table());
    all
}

/// Plays one execution and returns the number of its turns.
fn play(seed: u64, coverage: &mut Coverage) -> u64 {
    let mut world = HostileWorld::new(Chance::new(seed));
    let played = catch_unwind(AssertUnwindSafe(|| world.play(coverage)));
    played.unwrap_or_else(|panic| {
        eprintln!("HOSTILE_SEED={seed} plays this again; the last steps were:\n{}", world.log());
        resume_unwind(panic)
    })
}

/// Every tool of every node of the agents.
fn tools() -> BTreeSet<String> {
    (0..agents::COUNT).flat_map(|number| &agents::one(number).names).map(|name| format!("tool {name}")).collect()
}

#[test]
fn hostile_model_cannot_break_invariants() {
    if let Some(seed) = chance::given("HOSTILE_SEED") {
        play(seed, &mut Coverage::default());
        return;
    }
    let long = chance::given("HOSTILE_TURNS");
    let turns = long.unwrap_or(SLICE);
    let coverage = plays(chance::seed("HOSTILE_SEED"), turns);
    assert!(coverage.count("event turn.finished") > turns / 2, "turns come to an end");
    if long.is_some() {
        let wanted: BTreeSet<String> = named_in_sources().into_iter().chain(tools()).collect();
        let rare = coverage.rarer_than(LEAST, &wanted);
        assert!(rare.is_empty(), "met less than {LEAST} times: {rare:#?}");
    }
}

#[test]
fn coverage_lists_every_limit_event_and_code() {
    let named = named_in_sources();
    assert!(named.contains("limit STEPS") && named.contains("code unknown_tool"), "{named:?}");
    assert!(named.contains("event llm.responded") && named.contains("code send_failed"), "{named:?}");
}

#[test]
fn answer_of_ten_mebibytes_is_cut_and_the_turn_ends() {
    use crate::{
        graphs::graph_a,
        play::{Play, call, calls, text},
    };
    use serde_json::json;
    let huge = "words ".repeat((10 << 20) / 6);
    let mut play = Play::new(graph_a());
    play.say("x", [text(&huge)]);
    assert_eq!(play.sent().len(), engine::limits::PIECES);
    play.say("y", [calls([call("no_such_tool", json!({"a": huge}))]), text("?")]);
    assert!(play.results().iter().all(|result| result.to_string().len() < 100_000));
}

#[test]
fn arguments_of_waiting_calls_survive_storage() {
    use crate::{
        graphs::graph_a,
        play::{Play, call, calls, text, wait},
    };
    for depth in [1, 32, 64] {
        let mut play = Play::new(graph_a());
        // A call after a wait is part of the stored state.
        play.say("x", [calls([wait(), call("send_notification_to_user", answers::deep(depth))])]);
        play.say("y", [text("?")]);
    }
}
