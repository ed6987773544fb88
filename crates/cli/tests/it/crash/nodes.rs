//! Two nodes on one PostgreSQL: what one leaves or holds too long, the other takes over, and only one of them writes.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use testkit::database::TestDatabase;

use super::{
    cases::Case,
    life::{command, listening},
    model::{self, BOOK, MORE},
    story::check,
    world::{World, free_port},
};
use crate::program::Running;

/// A lease is 10 s; a takeover before it ends would be a theft.
const LEASE_HOLDS: Duration = Duration::from_secs(7);
const TAKEOVER: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn another_node_takes_over_from_one_that_was_killed() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (world, case) = (World::new(), Case::at("model.answered"));
    let mut first = listening(command(&world, world.port).env("CHASQUI_FAILPOINT", "model.answered"));
    begin(&world, &case);
    until("its death", || first.end().is_some());
    let _second = take_over(&world);
    go_on(&world, &case);
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
    let _second = take_over(&world);
    first.signal("-CONT");
    until("the refused write", || {
        let metrics = world.metrics(world.port);
        metrics.lines().any(|line| line.starts_with("stale_epoch_writes_total") && !line.ends_with(" 0"))
    });
    go_on(&world, &case);
}

/// The person asks the first node.
fn begin(world: &World, case: &Case) {
    let access = world.set_up(case);
    world.says(&access.code);
    until("the welcome", || world.heard().len() == 1);
    // The code, and two statuses of the welcome: nothing but the turn is under way when the node goes.
    until("the statuses", || world.webhooks() == (3, 0));
    world.says(BOOK);
}

/// A second node answers, when the first one's lease is over.
fn take_over(world: &World) -> Running {
    let began = Instant::now();
    let (folder, port) = (world.home.path().join("second"), free_port());
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(world.home.data().join("master.key"), folder.join("master.key")).unwrap();
    let second = listening(command(world, port).env("CHASQUI_DATA_DIR", &folder));
    world.call_back(port);
    until("the answer", || world.heard().len() == 2);
    let took = began.elapsed();
    // Past the test harness, as the matrix does it.
    let _ = writeln!(std::io::stderr(), "a second node answered after {} ms", took.as_millis());
    assert!((LEASE_HOLDS..TAKEOVER).contains(&took), "the second node answered after {took:?}");
    second
}

/// What was asked is answered once, and the conversation goes on.
fn go_on(world: &World, case: &Case) {
    world.says(MORE);
    until("the second answer", || world.heard().len() == 3);
    until("all webhooks", || world.webhooks().1 == 0);
    check(case, world, BOOK);
}

fn until(what: &str, mut come: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !come() {
        assert!(Instant::now() < end, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
