//! The transitions of `status_table.toml`: every row is reached, and no input in any status makes
//! another pair.

use crate::{
    graphs::{graph_handoff, graph_warm},
    play::{Play, calls, go, stop, text, user_input},
};
use domain::{
    Span,
    chat::{ModelFailureKind, ModelResponse},
    execution::ExecutionStatus,
};
use engine::{Input, SendOutcome, fail_unrunnable};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, sync::LazyLock};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    from: ExecutionStatus,
    to: ExecutionStatus,
    by: Option<String>,
    elsewhere: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

static TABLE: LazyLock<Vec<Row>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("status_table.toml")).unwrap().row);

/// True if the engine may make this transition.
pub fn allowed(from: ExecutionStatus, to: ExecutionStatus) -> bool {
    TABLE.iter().any(|row| row.from == from && row.to == to && row.by.is_some())
}

type Pair = (&'static str, &'static str);

fn pairs(play: &Play) -> BTreeSet<Pair> {
    let word = |value: &serde_json::Value| value.as_str().unwrap().parse::<ExecutionStatus>().unwrap().as_str();
    let changes = play.events.iter().filter(|event| event.name == "execution.status");
    changes.map(|event| (word(&event.data["from"]), word(&event.data["to"]))).collect()
}

/// An execution in this status.
fn standing(status: ExecutionStatus) -> Play {
    let mut play = Play::new(graph_handoff());
    match status {
        ExecutionStatus::Started => {}
        ExecutionStatus::Running => drop(play.hears("x")),
        ExecutionStatus::Paused => play.say("x", [text("?")]),
        ExecutionStatus::Handoff => play.say("x", [calls([go("h")])]),
        ExecutionStatus::Ended => play.say("x", [calls([go("end")])]),
        ExecutionStatus::Failed => {
            play.hears("x");
            play.model_fails(ModelFailureKind::Permanent, None);
        }
        ExecutionStatus::Stopped => {
            play.hears("x");
            play.stop();
        }
    }
    assert_eq!(play.state.status(), status);
    play
}

/// Fails it as a worker does whose agent cannot run.
fn unrunnable(mut play: Play) -> Play {
    let step = fail_unrunnable(&mut play.state, play.now, &[], "the graph is gone");
    play.events.extend(step.events);
    play
}

fn reach(by: &str) -> Play {
    use ExecutionStatus::{Failed, Handoff, Paused, Running, Started};
    let started = || standing(Started);
    match by {
        "a_worker_takes_it" => standing(Running),
        "the_agent_waits" => standing(Paused),
        "a_handoff_node" => standing(Handoff),
        "routed_to_the_end" => standing(ExecutionStatus::Ended),
        "the_model_is_gone" => standing(Failed),
        "its_worker_dies" => with(standing(Running), |play| drop(play.feed(&[Input::Reclaimed]))),
        "stopped_while_running" => with(standing(Running), |play| drop(play.stop())),
        "stopped_while_paused" => with(standing(Paused), |play| drop(play.stop())),
        "stopped_before_the_start" => with(started(), |play| drop(play.stop())),
        "stopped_in_a_handoff" => with(standing(Handoff), |play| drop(play.stop())),
        "the_contact_replies" => with(standing(Paused), |play| play.say("y", [text("?")])),
        "nobody_replies" => {
            let mut warm = Play::new(graph_warm());
            warm.say("x", [text("?")]);
            later(warm, Span::from_mins(5))
        }
        "a_person_takes_over" => with(standing(Paused), |play| drop(play.feed(&[set(Handoff)]))),
        "a_person_gives_it_back" => with(standing(Handoff), |play| play.resume(None, [text("?")])),
        "nobody_replies_in_a_handoff" => later(standing(Handoff), Span::from_hours(24)),
        "the_graph_is_gone" => unrunnable(standing(Paused)),
        "a_failed_one_is_resumed" => with(standing(Failed), |play| play.resume(None, [text("?")])),
        "the_graph_was_never_there" => unrunnable(started()),
        other => panic!("no play reaches {other}"),
    }
}

fn with(mut play: Play, act: impl FnOnce(&mut Play)) -> Play {
    act(&mut play);
    play
}

fn later(mut play: Play, span: Span) -> Play {
    play.wait(span);
    play.tick();
    play
}

fn set(status: ExecutionStatus) -> Input {
    Input::SetStatus { id: "set".into(), status, reason: "by hand".into() }
}

/// Every kind of input.
fn alphabet(play: &Play) -> Vec<Input> {
    let effect = || "foreign".to_owned();
    let refused = SendOutcome::Failed { code: "channel_auth".into(), message: "x".into() };
    let mut inputs = vec![
        Input::Message { id: "i".into(), text: "y".into(), picture: None },
        Input::Data { id: "i".into(), value: json!({"n": 1}) },
        Input::ExternalMessage { id: "i".into(), text: "by a person".into() },
        Input::Resume { id: "i".into(), message: None, interrupt: None },
        Input::Resume { id: "i".into(), message: user_input("go on"), interrupt: None },
        Input::Resume { id: "i".into(), message: None, interrupt: Some("another".into()) },
        stop(),
        Input::Reclaimed,
        Input::Timer { generation: play.state.generation },
        Input::Timer { generation: play.state.generation + 1 },
        Input::Model { effect: effect(), response: ModelResponse::default() },
        Input::Sent { effect: effect(), outcome: refused },
    ];
    inputs.extend(ExecutionStatus::ALL.map(set));
    inputs
}

#[test]
fn every_row_of_the_table_is_reached() {
    for row in TABLE.iter() {
        match (&row.by, &row.elsewhere) {
            (Some(by), None) => {
                let found = pairs(&reach(by));
                assert!(found.contains(&(row.from.as_str(), row.to.as_str())), "{by}: {found:?}");
            }
            (None, Some(why)) => assert!(why.len() > 20, "{row:?} needs a reason"),
            _ => panic!("{row:?} is reached by a play or not by the engine"),
        }
    }
}

#[test]
fn every_input_in_every_status_follows_the_table() {
    for from in ExecutionStatus::ALL {
        for number in 0..alphabet(&standing(from)).len() {
            let mut play = standing(from);
            let before = play.events.len();
            let input = alphabet(&play)[number].clone();
            play.feed(std::slice::from_ref(&input));
            let changes = play.events[before..].iter().filter(|event| event.name == "execution.status");
            for change in changes {
                let word = |value: &serde_json::Value| value.as_str().unwrap().parse::<ExecutionStatus>().unwrap();
                let (from, to) = (word(&change.data["from"]), word(&change.data["to"]));
                assert!(allowed(from, to), "{input:?} made {from:?} {to:?}");
            }
        }
    }
}

#[test]
fn only_resume_of_a_retryable_failure_leaves_a_terminal_status() {
    for over in [ExecutionStatus::Ended, ExecutionStatus::Stopped, ExecutionStatus::Failed] {
        for number in 0..alphabet(&standing(over)).len() {
            let mut play = standing(over);
            let input = alphabet(&play)[number].clone();
            play.feed(std::slice::from_ref(&input));
            let revived = over == ExecutionStatus::Failed && matches!(input, Input::Resume { interrupt: None, .. });
            assert_eq!(play.state.status() != over, revived, "{over:?}: {input:?}");
        }
    }
}

#[test]
fn api_transitions_follow_the_table() {
    use ExecutionStatus::{Ended, Failed, Handoff, Paused, Running, Started, Stopped};
    for from in ExecutionStatus::ALL {
        for to in ExecutionStatus::ALL {
            let row = TABLE.iter().any(|row| row.from == from && row.to == to);
            assert_eq!(from.may_become(to), row, "{from:?} to {to:?}");
            let settable = ![Started, Running].contains(&to) && row;
            assert!(!from.may_be_set(to) || settable, "{from:?} set to {to:?}");
        }
    }
    for (from, to) in
        [(Running, Paused), (Paused, Ended), (Paused, Handoff), (Handoff, Ended), (Started, Stopped), (Running, Failed)]
    {
        assert!(from.may_be_set(to), "{from:?} set to {to:?}");
    }
}
