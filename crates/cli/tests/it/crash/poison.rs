//! Work that ends the process each time it runs is parked, and all others are served
//! (docs/spec/reliability.md 8).

use std::{os::unix::process::ExitStatusExt as _, process::Command};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::ANA;

use super::{
    cases::Case,
    model::{BOOK, answer_to},
    server::{command, listening},
    world::{Access, World, until},
};
use crate::program::{Running, json};

const BEN: &str = "+5511999990002";
const SIGABRT: i32 = 6;
const POISON: &str = "What is in poison-1?";

/// Command of a server in which texts with the marker end the process at `place`.
fn poisoned(world: &World, place: &str) -> Command {
    let mut command = command(world, world.port);
    command.env("CHASQUI_POISON", format!("{place}:poison-1")).env("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", "300");
    command
}

fn start(world: &World, place: &str) -> Running {
    listening(&mut poisoned(world, place))
}

/// Starts a server that dies, perhaps before it listens.
fn dies_again(world: &World, place: &str) {
    dies(world, &mut Running::spawn(&mut poisoned(world, place)));
}

/// Waits for the death of the server.
fn dies(world: &World, server: &mut Running) {
    let mut end = None;
    until("the death", || {
        // Meta repeats a webhook that had no answer, sooner here.
        world.flush();
        end = server.end();
        end.is_some()
    });
    assert_eq!(end.and_then(|end| end.signal()), Some(SIGABRT));
}

/// Connects two contacts to an agent.
fn connected(world: &World) -> Access {
    let access = world.set_up(&Case::at(""));
    world.contact_sends(&access.code);
    let code = world.session(&access.key, &access.agent, BEN);
    world.contact_sends_as(BEN, &code);
    until("the welcomes", || world.received_texts().len() == 1 && world.received_by(BEN).len() == 1);
    access
}

fn parked(world: &World) -> Vec<Value> {
    json(&world.home.run(&["executions", "list", "--parked", "--json"]))["data"].as_array().unwrap().clone()
}

fn executions(world: &World, access: &Access) -> Vec<Value> {
    let list = world.api(&access.key, Method::GET, &format!("/agents/{}/executions", access.agent), None);
    list["data"].as_array().unwrap().clone()
}

fn everybody_is_served(world: &World) {
    for phone in [BEN, ANA] {
        let before = world.received_by(phone).len();
        world.contact_sends_as(phone, BOOK);
        until("an answer", || world.received_by(phone).len() == before + 1);
        assert_eq!(world.received_by(phone).last().unwrap(), answer_to(BOOK));
    }
}

#[test]
fn a_turn_that_ends_the_process_three_times_is_parked() {
    let world = World::new();
    let mut server = start(&world, "turn");
    let access = connected(&world);
    world.contact_sends(POISON);
    dies(&world, &mut server);
    for _ in 0..2 {
        assert_eq!(parked(&world).len(), 0);
        dies_again(&world, "turn");
    }
    let server = start(&world, "turn");
    everybody_is_served(&world);
    let parked = parked(&world);
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!((&parked[0]["kind"], &parked[0]["deaths"]), (&json!("turn"), &json!(3)));
    let executions = executions(&world, &access);
    let failed: Vec<_> = executions.iter().filter(|execution| execution["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{executions:?}");
    assert_eq!(failed[0]["error"]["code"], "poison", "{failed:?}");
    assert!(world.server_log().contains("work parked"));
    assert!(world.metrics(world.port).contains("chasqui_work_parked_total{kind=\"turn\",project="));
    drop(server);
    let replay = json(&world.home.run(&["replay", "all", "--json"]));
    assert_eq!(replay["ok"], true, "{replay}");
}

#[test]
fn a_turn_that_panics_three_times_is_parked_in_the_same_process() {
    let world = World::new();
    let _server = start(&world, "panic@turn");
    let access = connected(&world);
    world.contact_sends(POISON);
    until("the parking", || !parked(&world).is_empty());
    everybody_is_served(&world);
    let executions = executions(&world, &access);
    assert!(executions.iter().any(|execution| execution["error"]["code"] == "poison"), "{executions:?}");
}

#[test]
fn an_execution_can_be_stopped_while_no_server_runs() {
    let world = World::new();
    let mut server = start(&world, "turn");
    let access = connected(&world);
    world.contact_sends(BOOK);
    until("an answer", || world.received_texts().len() == 2);
    let id = executions(&world, &access)[0]["id"].as_str().unwrap().to_owned();
    world.contact_sends(POISON);
    dies(&world, &mut server);
    let stopped = json(&world.home.run(&["executions", "stop", &id, "--json"]));
    assert_eq!(stopped["status"], "stopped");
    let _server = start(&world, "turn");
    everybody_is_served(&world);
    assert_eq!(parked(&world).len(), 0);
    let unknown = world.home.run(&["executions", "stop", "01890000-0000-7000-8000-000000000000"]);
    assert!(!unknown.status.success());
}

#[test]
fn a_webhook_that_ends_the_process_three_times_is_kept_raw() {
    let world = World::new();
    let mut server = start(&world, "webhook");
    connected(&world);
    world.contact_sends(POISON);
    dies(&world, &mut server);
    for _ in 0..2 {
        dies_again(&world, "webhook");
    }
    let _server = start(&world, "webhook");
    world.flush();
    until("the webhook's answer", || world.webhooks().1 == 0);
    everybody_is_served(&world);
    assert!(world.server_log().contains("webhook parked"));
}

#[test]
fn a_send_that_ends_the_process_is_given_up_after_its_attempts() {
    let world = World::with(|request| {
        let text = request.body.to_string();
        let answer =
            if text.contains("poison-1") && !text.contains(BOOK) { "This is poison-1." } else { answer_to(BOOK) };
        super::model::choice(&json!({"role": "assistant", "content": answer}))
    });
    let mut server = start(&world, "send");
    connected(&world);
    world.contact_sends(POISON);
    dies(&world, &mut server);
    for _ in 0..5 {
        dies_again(&world, "send");
    }
    let _server = start(&world, "send");
    everybody_is_served(&world);
}

#[test]
fn a_test_run_that_ends_the_process_three_times_ends_with_an_error() {
    let world = World::new();
    let mut server = start(&world, "trial");
    let access = connected(&world);
    let suite = json!({"test_suite": {"name": "Poison", "agent_id": access.agent}});
    let suite = world.api(&access.key, Method::POST, "/test_suites", Some(suite));
    let suite = suite["data"]["id"].as_str().unwrap().to_owned();
    let case = json!({"test_case": {"name": "One", "script": POISON, "rubric": "It answers."}});
    world.api(&access.key, Method::POST, &format!("/test_suites/{suite}/test_cases"), Some(case));
    let _ = world.try_post(&access.key, &format!("/test_suites/{suite}/test_runs"));
    dies(&world, &mut server);
    for _ in 0..2 {
        dies_again(&world, "trial");
    }
    let _server = start(&world, "trial");
    everybody_is_served(&world);
    let parked = parked(&world);
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!(parked[0]["kind"], "test_run");
}
