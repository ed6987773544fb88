//! Two nodes whose clocks differ by two hours. Leases use the database's clock and messages their
//! sequence, so no node takes work with a valid lease, and every answer is sent once and in order
//! (docs/spec/reliability.md 15, fault 12).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use testkit::database::TestDatabase;

use super::{
    dialogs::{self, Dialogs},
    pair::Pair,
    world::PATIENCE,
};

const PEOPLE: usize = 3;
const QUESTIONS: usize = 6;
/// Longer than a lease.
const LONG_ANSWER: Duration = Duration::from_secs(12);

#[test]
fn nodes_with_wrong_clocks_respect_leases_and_order() {
    if !TestDatabase::has_postgres() {
        return;
    }
    // One of these two starts on the node that is behind, the other on the node that is ahead.
    let is_long = |question: &str| question.ends_with("-2") || question.ends_with("-3");
    let (world, asked) =
        dialogs::world_thinking(
            move |question| if is_long(question) { LONG_ANSWER } else { Duration::from_millis(50) },
        );
    let mut pair = Pair::of_two(&world, [&[("CHASQUI_CLOCK_OFF_BY", "-3600")], &[("CHASQUI_CLOCK_OFF_BY", "3600")]]);
    let mut dialogs = Dialogs::begin(&world, PEOPLE);
    for number in 1..=QUESTIONS {
        pair.set_callback(number % 2);
        dialogs.ask(number);
        let began = Instant::now();
        while !dialogs.are_over() {
            dialogs.read_answers();
            assert!(began.elapsed() < PATIENCE, "question {number} is not answered");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert_eq!(dialogs.check(), PEOPLE * QUESTIONS);
    let mut times = BTreeMap::new();
    for (_, _, question) in asked.lock().unwrap().iter() {
        *times.entry(question.clone()).or_insert(0) += 1;
    }
    times.retain(|_, times| *times > 1);
    assert!(times.is_empty(), "processed twice although the lease was valid: {times:?}");
}
