//! PostgreSQL asks for every fifth transaction again: everything takes longer, and nobody sees anything (fault 8).

use std::time::{Duration, Instant};

use testkit::database::TestDatabase;

use super::{
    server::{command, listening},
    dialogs::{self, Talks},
    tell,
    world::until,
};

const PEOPLE: usize = 4;
const QUESTIONS: usize = 6;

#[test]
fn transactions_that_have_to_be_run_again_are_seen_by_nobody() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (undisturbed, none) = play(None);
    let (disturbed, retries) = play(Some("5"));
    assert_eq!(none, 0, "nothing is run again without a reason");
    assert!(retries > 24, "{retries} transactions were run again");
    let (without, with) = (undisturbed.as_millis(), disturbed.as_millis());
    tell(&format!(
        "{} answers: {without} ms; with 20 % of transactions run again ({retries}): {with} ms",
        PEOPLE * QUESTIONS
    ));
}

/// How long the talks took, and how many transactions were run again.
fn play(every: Option<&str>) -> (Duration, u64) {
    let (world, _) = dialogs::world();
    let mut command = command(&world, world.port);
    if let Some(every) = every {
        command.env("CHASQUI_RETRY_EVERY", every);
    }
    let _server = listening(&mut command);
    let mut talks = Talks::begin(&world, PEOPLE);
    let began = Instant::now();
    while talks.all.iter().any(|talk| talk.answered < QUESTIONS) {
        talks.ask(QUESTIONS);
        talks.listen();
        assert!(began.elapsed() < Duration::from_secs(120), "the talks do not come to an end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    assert_eq!(talks.check(), PEOPLE * QUESTIONS);
    // Each text and two statuses of each answer; the code and the welcome are such a pair as well.
    until("all webhooks", || world.webhooks() == (PEOPLE * (QUESTIONS + 1) * 3, 0));
    for delivery in world.deliveries() {
        assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "WhatsApp brought it again: {delivery:#}");
    }
    let metrics = world.metrics(world.port);
    let counted = metrics.lines().filter(|line| line.starts_with("db_tx_retries_total"));
    (took, counted.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}
