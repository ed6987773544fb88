//! Messages, timers, stops, handoffs, people's replies, resumes and crashes in any order. No input is lost or stored
//! twice, the order is kept, and the agent sends nothing while a person has the conversation.
//!
//! The engine is the real one; mailbox, outbox and worker are a small model (`world.rs`). The simulator covers two workers
//! and the real store. `planted/` holds faults that this test must detect:
//!
//! ```text
//! git apply crates/engine/planted/inbox_dropped.patch && cargo test -p chasqui-engine --test it schedule   # must fail
//! SCHEDULE_SEED=1234 repeats one schedule, SCHEDULES=50000 plays more of them
//! ```

mod stored;
mod world;

use crate::chance;
use domain::execution::ExecutionStatus::{Handoff, Paused};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use stored::Execution;
use world::{OFTEN, ScheduledWorld};

/// Schedules of each test run.
const SLICE: u64 = 250;

#[test]
fn any_schedule_keeps_inputs_order_and_handoff_silence() {
    if let Some(seed) = chance::given("SCHEDULE_SEED") {
        return schedule(seed);
    }
    let (first, count) = (chance::seed("SCHEDULE_SEED"), chance::given("SCHEDULES").unwrap_or(SLICE));
    eprintln!("{count} schedules from seed {first}");
    (0..count).for_each(|number| schedule(first.wrapping_add(number)));
}

fn schedule(seed: u64) {
    let mut world = ScheduledWorld::new(seed);
    let played = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..4 {
            for _ in 0..10 + world.chance.below(60) {
                let event = *world.chance.weighted(&OFTEN);
                world.apply(event);
            }
            world.settle();
            holds(&world);
        }
        world.replay();
    }));
    played.unwrap_or_else(|panic| {
        eprintln!("SCHEDULE_SEED={seed} plays this again:\n{}", world.take_log());
        resume_unwind(panic)
    });
}

/// Checks the invariants when no work is left.
fn holds(world: &ScheduledWorld) {
    assert_eq!(world.stored_messages(), world.messages, "messages of the contact, once and in order");
    let phone: Vec<&str> = world.phone.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(phone, world.sent(), "sent messages, once and in order");
    for (number, execution) in world.executions.iter().enumerate() {
        let state = execution.state();
        let waits = matches!(state.status(), Paused | Handoff);
        assert!(waits || state.status().is_over(), "{:?} with nothing to do", state.status());
        assert!(number + 1 == world.executions.len() || state.status().is_over(), "two live executions");
        assert!(!world.stopped.contains(&number) || state.status().is_over(), "a stop was forgotten");
        is_answered(execution);
        is_silent_in_handoffs(execution);
    }
}

/// The model has seen every message when the agent waits, also after a handoff.
fn is_answered(execution: &Execution) {
    let last = |name: &str| execution.events.iter().rposition(|event| event.name == name);
    let state = execution.state();
    if state.status() == Paused {
        assert!(last("llm.responded") > last("input.injected"), "the last message was not shown to the model");
    }
    let kept = state.inputs.resume.is_some() || !state.inputs.queued.is_empty() || state.inputs.stop.is_some();
    assert!(!kept || state.status().is_over(), "an input is kept and not acted on: {state:#?}");
    let returned = execution.events.iter().rposition(|event| {
        event.name == "execution.status" && event.data["from"] == "handoff" && event.data["to"] == "running"
    });
    if let Some(returned) = returned.filter(|_| state.status() == Paused) {
        assert!(last("llm.requested") > Some(returned), "silent after the return");
    }
}

fn is_silent_in_handoffs(execution: &Execution) {
    let mut handoff = false;
    for event in &execution.events {
        match event.name.as_str() {
            "execution.status" => {
                let returns = handoff && event.data["to"] == "running";
                assert!(!returns || event.data["reason"] == "resume", "{event:?}: only a resume ends a handoff");
                handoff = event.data["to"] == "handoff";
            }
            // A message of the contact starts no turn during a handoff.
            "turn.started" => assert!(!handoff || event.data["input_kind"] == "resume", "{event:?} in a handoff"),
            "llm.requested" | "tool.called" => assert!(!handoff, "{event:?} in a handoff"),
            _ => {}
        }
    }
}

/// Guards against schedules in which nothing happens: they would keep every invariant.
#[test]
fn schedules_cover_every_kind_of_event() {
    let mut met = [0_usize; 6];
    for seed in 0..60 {
        let mut world = ScheduledWorld::new(seed);
        for _ in 0..150 {
            let event = *world.chance.weighted(&OFTEN);
            world.apply(event);
        }
        world.settle();
        let events = || world.executions.iter().flat_map(|execution| &execution.events);
        let count = |name: &str| events().filter(|event| event.name == name).count();
        let became = |status: &str| events().filter(|e| e.name == "execution.status" && e.data["to"] == status).count();
        let seen = [
            world.messages.len(),
            count("llm.discarded"),
            became("handoff"),
            count("external.injected"),
            became("stopped"),
            became("ended"),
        ];
        met.iter_mut().zip(seen).for_each(|(met, seen)| *met += seen);
    }
    assert!(met.iter().all(|met| *met >= 10), "{met:?}");
}
