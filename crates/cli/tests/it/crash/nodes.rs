//! Two nodes on one PostgreSQL: one reclaims the work of a killed or paused one, and only one of
//! them writes.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use testkit::database::TestDatabase;

use super::{
    cases::Case,
    model::{self, BOOK, MORE, answer_to},
    pair::Pair,
    print_line,
    scenario::check,
    server::{another_folder, command, listening},
    world::{World, free_port, until},
};
use crate::program::Running;

/// Earliest reclaim: a lease lasts 10 s, and part of it may be over.
const MIN_RECLAIM: Duration = Duration::from_secs(7);
const MAX_RECLAIM: Duration = Duration::from_secs(15);
/// Shortest pause of a paused node; `cargo xtask test --full` sets a longer one.
fn pause() -> Duration {
    Duration::from_secs(std::env::var("CHASQUI_CRASH_PAUSE").map_or(0, |text| text.parse().unwrap()))
}

/// The killed node's clock is an hour ahead, which must not delay the reclaim.
#[test]
fn node_reclaims_turn_of_killed_node() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("model.answered"));
    let mut first =
        listening(with_clock_ahead(&mut command(&world, world.port)).env("CHASQUI_FAILPOINT", "model.answered"));
    begin(&world, &case);
    until("the kill", || first.end().is_some());
    let _second = reclaim(&world, &case);
    check_continues(&world, &case, BOOK);
}

/// The message was sent, but the node was killed before it stored that. The next send may leave
/// only when a status has settled the first. The killed node's clock is ahead here too.
#[test]
fn node_settles_open_send_of_killed_node() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("send.answered"));
    let mut first =
        listening(with_clock_ahead(&mut command(&world, world.port)).env("CHASQUI_FAILPOINT", "send.answered:2"));
    begin(&world, &case);
    until("the kill", || first.end().is_some());
    assert_eq!(world.received_texts().len(), 2);
    let began = Instant::now();
    let _second = start_second(&world, &case);
    world.contact_sends(MORE);
    until("the second answer", || world.received_texts().len() == 3);
    check_reclaim_time(began);
    until("all webhooks", || world.webhooks().1 == 0);
    check(&case, &world, BOOK);
}

/// WhatsApp answers after 12 s and no status arrives: a node that reclaims too early would send
/// again.
#[test]
fn send_longer_than_a_lease_stays_with_its_node() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("send.answered"));
    let _pair = Pair::start(&world, &[("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", "500")]);
    let access = world.set_up(&case);
    world.contact_sends(&access.code);
    until("the welcome", || world.received_texts().len() == 1);
    until("the statuses", || world.webhooks() == (3, 0));
    for rule in [
        json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"slow": {"ms": 12_000}}}),
        json!({"when": {"surface": "webhook", "event": "status"}, "do": "lose"}),
    ] {
        world.control(Method::POST, "/faults", Some(rule));
    }
    world.contact_sends(BOOK);
    until("the answer", || world.received_texts().len() == 2);
    world.contact_sends(MORE);
    until("the second answer", || world.received_texts().len() > 2);
    check(&case, &world, BOOK);
}

#[test]
fn paused_node_writes_nothing_after_reclaim() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let asked = Arc::new(AtomicBool::new(false));
    let flag = asked.clone();
    let world = World::with(move |request| {
        // The model answers the first request while the node that sent it is paused.
        if !flag.swap(true, Ordering::SeqCst) {
            std::thread::sleep(Duration::from_secs(2));
        }
        model::complete(request)
    });
    let case = Case::at("model.ask");
    let first = listening(&mut command(&world, world.port));
    begin(&world, &case);
    until("the question", || asked.load(Ordering::SeqCst));
    first.signal("-STOP");
    let stopped = Instant::now();
    let _second = reclaim(&world, &case);
    resume(&first, stopped);
    until("the refused write", || refused_a_write(&world));
    check_continues(&world, &case, BOOK);
}

/// Its attempt is stored; the other node repeats it when no status arrives.
#[test]
fn node_paused_before_a_send_does_not_send_later() {
    paused_at(&Case { window_ms: 1_500, ..Case::at("send.open:2") }, refused_a_write);
}

/// The pause begins before the node reads the clock again.
#[test]
fn node_paused_after_storing_an_attempt_does_not_send_later() {
    paused_at(&Case { window_ms: 1_500, ..Case::at("attempt.committed:2") }, refused_a_write);
}

/// The paused node keeps its rows locked until the database ends its idle transaction.
#[test]
fn node_paused_inside_a_transaction_does_not_block_reclaim() {
    paused_at(&Case::at("step.commit:1"), |world| world.server_log().contains("work failed; it stays due"));
}

fn paused_at(case: &Case, write_is_refused: impl Fn(&World) -> bool) {
    if !TestDatabase::has_postgres() {
        return;
    }
    let world = World::new();
    let point = case.to_string();
    let mut paused = command(&world, world.port);
    paused.envs([("CHASQUI_FAILPOINT", &*point), ("CHASQUI_FAILPOINT_SIGNAL", "STOP")]);
    let first = listening(paused.env("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", case.window_ms.to_string()));
    begin(&world, case);
    until("the pause", || world.server_log().contains("failpoint reached"));
    let stopped = Instant::now();
    let _second = reclaim(&world, case);
    resume(&first, stopped);
    until("the refused write", || write_is_refused(&world));
    check_continues(&world, case, BOOK);
}

fn refused_a_write(world: &World) -> bool {
    let metrics = world.metrics(world.port);
    metrics.lines().any(|line| line.starts_with("chasqui_stale_epoch_writes_total") && !line.ends_with(" 0"))
}

fn resume(node: &Running, stopped: Instant) {
    std::thread::sleep(pause().saturating_sub(stopped.elapsed()));
    node.signal("-CONT");
}

fn with_clock_ahead(node: &mut Command) -> &mut Command {
    node.env("CHASQUI_CLOCK_OFF_BY", "3600")
}

/// Sends the code and the question to the first node.
pub fn begin(world: &World, case: &Case) {
    let access = world.set_up(case);
    world.contact_sends(&access.code);
    until("the welcome", || world.received_texts().len() == 1);
    // The code and two statuses of the welcome: only the turn is open when the node is killed.
    until("the statuses", || world.webhooks() == (3, 0));
    world.contact_sends(BOOK);
}

/// Starts a second node and waits for its answer, after the first one's lease is over.
fn reclaim(world: &World, case: &Case) -> Running {
    let began = Instant::now();
    let second = start_second(world, case);
    until("the answer", || world.received_texts().len() == 2);
    check_reclaim_time(began);
    second
}

fn start_second(world: &World, case: &Case) -> Running {
    let (folder, port) = (another_folder(world, "second"), free_port());
    let mut second = command(world, port);
    second.env("CHASQUI_DATA_DIR", &folder).env("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", case.window_ms.to_string());
    let second = listening(&mut second);
    world.set_callback(port);
    second
}

fn check_reclaim_time(began: Instant) {
    let took = began.elapsed();
    print_line(&format!("a second node answered after {} ms", took.as_millis()));
    assert!((MIN_RECLAIM..MAX_RECLAIM).contains(&took), "the second node answered after {took:?}");
}

/// Checks that the question is answered once and the conversation continues.
pub fn check_continues(world: &World, case: &Case, question: &str) {
    assert_eq!(world.received_texts()[1..], [answer_to(question)]);
    world.contact_sends(MORE);
    until("the second answer", || world.received_texts().len() == 3);
    until("all webhooks", || world.webhooks().1 == 0);
    check(case, world, question);
}
