//! PostgreSQL refuses every fifth transaction, which is retried: no effect is visible except longer
//! times (docs/spec/reliability.md 15, fault 8).

use std::time::{Duration, Instant};

use testkit::database::TestDatabase;

use super::{
    dialogs::{self, Dialogs},
    print_line,
    server::{command, listening},
    world::until,
};

const PEOPLE: usize = 4;
const QUESTIONS: usize = 6;

#[test]
fn retried_transactions_have_no_visible_effect() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (undisturbed, none) = play(None);
    let (disturbed, retries) = play(Some("5"));
    assert_eq!(none, 0, "no transaction is retried without the fault");
    assert!(retries > 24, "{retries} transactions were retried");
    let (without, with) = (undisturbed.as_millis(), disturbed.as_millis());
    print_line(&format!(
        "{} answers: {without} ms; with 20 % of transactions retried ({retries}): {with} ms",
        PEOPLE * QUESTIONS
    ));
}

/// Runs the dialogs. Returns their duration and the number of retried transactions.
fn play(every: Option<&str>) -> (Duration, u64) {
    let (world, _) = dialogs::world();
    let mut command = command(&world, world.port);
    if let Some(every) = every {
        command.env("CHASQUI_RETRY_EVERY", every);
    }
    let _server = listening(&mut command);
    let mut dialogs = Dialogs::begin(&world, PEOPLE);
    let began = Instant::now();
    while dialogs.all.iter().any(|dialog| dialog.answered < QUESTIONS) {
        dialogs.ask(QUESTIONS);
        dialogs.read_answers();
        assert!(began.elapsed() < Duration::from_secs(120), "the dialogs do not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    assert_eq!(dialogs.check(), PEOPLE * QUESTIONS);
    // One webhook for each text and two for the statuses of its answer; the code and the welcome
    // count as such a pair.
    until("all webhooks", || world.webhooks() == (PEOPLE * (QUESTIONS + 1) * 3, 0));
    for delivery in world.deliveries() {
        assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "WhatsApp had to retry: {delivery:#}");
    }
    let metrics = world.metrics(world.port);
    let counted = metrics.lines().filter(|line| line.starts_with("chasqui_db_tx_retries_total"));
    (took, counted.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}
