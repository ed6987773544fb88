//! Two nodes whose clocks are two hours apart: leases go by the database's clock and messages by their place, so neither
//! takes what the other holds, and everything is said once and in order (reliability.md §15, fault 12).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use testkit::database::TestDatabase;

use super::{
    pair::Pair,
    dialogs::{self, Talks},
    world::PATIENCE,
};

const PEOPLE: usize = 3;
const QUESTIONS: usize = 6;
/// Longer than a lease.
const LONG: Duration = Duration::from_secs(12);

#[test]
fn nodes_with_wrong_clocks_steal_nothing_from_each_other_and_keep_the_order() {
    if !TestDatabase::has_postgres() {
        return;
    }
    // Of these two, one begins at the node that is behind and one at the node that is ahead.
    let is_long = |question: &str| question.ends_with("-2") || question.ends_with("-3");
    let (world, asked) =
        dialogs::world_thinking(move |question| if is_long(question) { LONG } else { Duration::from_millis(50) });
    let mut pair = Pair::of_two(&world, [&[("CHASQUI_CLOCK_OFF_BY", "-3600")], &[("CHASQUI_CLOCK_OFF_BY", "3600")]]);
    let mut talks = Talks::begin(&world, PEOPLE);
    for number in 1..=QUESTIONS {
        pair.call_back(number % 2);
        talks.ask(number);
        let began = Instant::now();
        while !talks.are_over() {
            talks.listen();
            assert!(began.elapsed() < PATIENCE, "question {number} is not answered");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert_eq!(talks.check(), PEOPLE * QUESTIONS);
    let mut times = BTreeMap::new();
    for (_, _, question) in asked.lock().unwrap().iter() {
        *times.entry(question.clone()).or_insert(0) += 1;
    }
    times.retain(|_, times| *times > 1);
    assert!(times.is_empty(), "taken from the node that held it: {times:?}");
}
