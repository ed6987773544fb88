//! Two nodes on one PostgreSQL: what one leaves or holds too long, the other takes over, and only one of them writes.

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
    server::{another_folder, command, listening},
    model::{self, BOOK, MORE, answer_to},
    pair::Pair,
    scenario::check,
    tell,
    world::{World, free_port, until},
};
use crate::program::Running;

/// A lease is 10 s; a takeover before it ends would be a theft.
const LEASE_HOLDS: Duration = Duration::from_secs(7);
const TAKEOVER: Duration = Duration::from_secs(15);
/// How long a paused node stands still at least; `cargo xtask test --full` sets more.
fn pause() -> Duration {
    Duration::from_secs(std::env::var("CHASQUI_CRASH_PAUSE").map_or(0, |text| text.parse().unwrap()))
}

/// Its clock is an hour ahead as well: what it held is due elsewhere all the same.
#[test]
fn another_node_takes_over_from_one_that_was_killed() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("model.answered"));
    let mut first = listening(ahead(&mut command(&world, world.port)).env("CHASQUI_FAILPOINT", "model.answered"));
    begin(&world, &case);
    until("its death", || first.end().is_some());
    let _second = take_over(&world, &case);
    go_on(&world, &case, BOOK);
}

/// The message was sent, and its sender died before it noted so. The next one may leave only when the fate of the first is
/// known, which a status tells the other node meanwhile. Here, too, the dead node's clock was ahead.
#[test]
fn another_node_settles_the_open_send_of_one_that_was_killed() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("send.answered"));
    let mut first = listening(ahead(&mut command(&world, world.port)).env("CHASQUI_FAILPOINT", "send.answered:2"));
    begin(&world, &case);
    until("its death", || first.end().is_some());
    assert_eq!(world.heard().len(), 2);
    let began = Instant::now();
    let _second = start_second(&world, &case);
    world.says(MORE);
    until("the second answer", || world.heard().len() == 3);
    noted(began);
    until("all webhooks", || world.webhooks().1 == 0);
    check(&case, &world, BOOK);
}

/// WhatsApp answers after 12 s and no status tells anything: a node that thought the sender dead would send again.
#[test]
fn a_send_that_takes_longer_than_a_lease_stays_with_its_node() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("send.answered"));
    let _pair = Pair::start(&world, &[("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", "500")]);
    let access = world.set_up(&case);
    world.says(&access.code);
    until("the welcome", || world.heard().len() == 1);
    until("the statuses", || world.webhooks() == (3, 0));
    for rule in [
        json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"slow": {"ms": 12_000}}}),
        json!({"when": {"surface": "webhook", "event": "status"}, "do": "lose"}),
    ] {
        world.control(Method::POST, "/faults", Some(rule));
    }
    world.says(BOOK);
    until("the answer", || world.heard().len() == 2);
    world.says(MORE);
    until("the second answer", || world.heard().len() > 2);
    check(&case, &world, BOOK);
}

#[test]
fn a_node_that_was_paused_writes_nothing_after_another_took_over() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let asked = Arc::new(AtomicBool::new(false));
    let flag = asked.clone();
    let world = World::with(move |request| {
        // The first question is answered while the node that asked it stands still.
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
    let _second = take_over(&world, &case);
    wake_up(&first, stopped);
    until("the refused write", || refused_a_write(&world));
    go_on(&world, &case, BOOK);
}

/// Its attempt is written, and the other node repeats it when no status tells of it.
#[test]
fn a_node_that_was_paused_before_a_send_does_not_send_when_it_wakes() {
    paused_at(&Case { window_ms: 1_500, ..Case::at("send.open:2") }, refused_a_write);
}

/// It stands still before it has so much as looked at a clock again.
#[test]
fn a_node_that_was_paused_right_after_it_wrote_an_attempt_does_not_send_when_it_wakes() {
    paused_at(&Case { window_ms: 1_500, ..Case::at("attempt.committed:2") }, refused_a_write);
}

/// It keeps its rows locked, until the database ends the transaction that stands still.
#[test]
fn a_node_that_was_paused_inside_a_transaction_does_not_keep_others_from_taking_over() {
    paused_at(&Case::at("step.commit:1"), |world| world.server_log().contains("step failed; it stays due"));
}

fn paused_at(case: &Case, is_stopped_from_writing: impl Fn(&World) -> bool) {
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
    let _second = take_over(&world, case);
    wake_up(&first, stopped);
    until("the refused write", || is_stopped_from_writing(&world));
    go_on(&world, case, BOOK);
}

fn refused_a_write(world: &World) -> bool {
    let metrics = world.metrics(world.port);
    metrics.lines().any(|line| line.starts_with("stale_epoch_writes_total") && !line.ends_with(" 0"))
}

fn wake_up(node: &Running, stopped: Instant) {
    std::thread::sleep(pause().saturating_sub(stopped.elapsed()));
    node.signal("-CONT");
}

fn ahead(node: &mut Command) -> &mut Command {
    node.env("CHASQUI_CLOCK_OFF_BY", "3600")
}

/// The person asks the first node.
pub fn begin(world: &World, case: &Case) {
    let access = world.set_up(case);
    world.says(&access.code);
    until("the welcome", || world.heard().len() == 1);
    // The code, and two statuses of the welcome: nothing but the turn is under way when the node goes.
    until("the statuses", || world.webhooks() == (3, 0));
    world.says(BOOK);
}

/// A second node answers, when the first one's lease is over.
fn take_over(world: &World, case: &Case) -> Running {
    let began = Instant::now();
    let second = start_second(world, case);
    until("the answer", || world.heard().len() == 2);
    noted(began);
    second
}

fn start_second(world: &World, case: &Case) -> Running {
    let (folder, port) = (another_folder(world, "second"), free_port());
    let mut second = command(world, port);
    second.env("CHASQUI_DATA_DIR", &folder).env("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", case.window_ms.to_string());
    let second = listening(&mut second);
    world.call_back(port);
    second
}

fn noted(began: Instant) {
    let took = began.elapsed();
    tell(&format!("a second node answered after {} ms", took.as_millis()));
    assert!((LEASE_HOLDS..TAKEOVER).contains(&took), "the second node answered after {took:?}");
}

/// What was asked is answered once, and the conversation goes on.
pub fn go_on(world: &World, case: &Case, question: &str) {
    assert_eq!(world.heard()[1..], [answer_to(question)]);
    world.says(MORE);
    until("the second answer", || world.heard().len() == 3);
    until("all webhooks", || world.webhooks().1 == 0);
    check(case, world, question);
}
