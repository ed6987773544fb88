//! Statuses set by the API, resumes by id, and cancelled model calls: the rest of the table of
//! docs/spec/engine.md 2.9, S13, S15.

use crate::{
    graphs::{agent, content_a, graph_a, graph_b, graph_handoff, graph_warm, graph_webhook, v1},
    play::{Play, ask, call, calls, go, metadata, note, text, text_and, user_input, wait},
};
use domain::{
    Span,
    chat::{ModelFailureKind, Usage},
    execution::{
        ExecutionInput,
        ExecutionStatus::{self, Ended, Failed, Handoff, Paused, Running, Started, Stopped},
        TimerKind,
    },
    tool_request::ToolAnswer,
};
use engine::{
    AgentContent, Compiled, Effect, Input, InterruptKind,
    limits::{Limits, OverBudget},
};
use serde_json::{Value, json};

fn cancelled(play: &Play) -> usize {
    play.effects.iter().filter(|effect| matches!(effect, Effect::CancelModel { .. })).count()
}

/// An execution in each status.
fn in_status(status: ExecutionStatus) -> Play {
    let mut play = Play::new(graph_handoff());
    match status {
        Started => {}
        Running => drop(play.hears("x")),
        Paused => play.say("x", [text("?")]),
        Handoff => play.say("x", [calls([go("h")])]),
        Ended => play.say("x", [calls([go("end")])]),
        Failed => {
            play.hears("x");
            play.model_fails(ModelFailureKind::Permanent, None);
            play.open.clear();
        }
        Stopped => drop(play.stop()),
    }
    assert_eq!(play.state.status(), status);
    play
}

#[test]
fn every_pair_that_is_not_in_the_table_changes_nothing() {
    for from in ExecutionStatus::ALL {
        for to in ExecutionStatus::ALL {
            let mut play = in_status(from);
            if from == Started {
                // Any input starts it; the API's status must not be stored before.
                assert_eq!(from.may_be_set(to), to == Stopped, "{from:?} to {to:?}");
                continue;
            }
            let before = play.state.clone();
            play.set(to);
            let allowed = match from {
                Running => [Paused, Handoff, Ended, Failed, Stopped].contains(&to),
                Paused => [Ended, Handoff, Failed, Stopped].contains(&to),
                Handoff => [Ended, Stopped].contains(&to),
                _ => false,
            };
            assert_eq!(from.may_be_set(to), allowed, "{from:?} to {to:?}");
            if allowed && to != Stopped {
                assert_eq!(play.state.status(), to, "{from:?} to {to:?}");
            } else {
                assert_eq!(play.state.status(), before.status(), "{from:?} to {to:?}");
            }
            if !allowed {
                assert_eq!(play.state, before, "{from:?} to {to:?}");
            }
        }
    }
}

#[test]
fn s15_stop_cancels_the_model_call_and_nothing_is_sent_later() {
    let mut play = Play::new(v1(content_a()));
    play.hears("x");
    let late = play.model_input(calls([ask("late")]));
    play.wait(Span::from_secs(1));
    play.stop();
    play.is(Stopped, "a");
    assert_eq!((cancelled(&play), play.sent()), (1, vec![]));
    play.feed(&[late]);
    assert_eq!(play.sent(), Vec::<&str>::new());
}

#[test]
fn pause_by_the_api_cancels_the_model_call_and_a_message_continues() {
    let mut play = in_status(Running);
    play.set(Paused);
    play.is(Paused, "a");
    assert_eq!(play.state.phase.interrupt().map(|rest| rest.kind), Some(InterruptKind::Manual));
    assert_eq!(cancelled(&play), 1);
    play.say("still there?", [text("yes")]);
    play.is(Paused, "a");
    assert_eq!(play.user_messages(), ["x", "still there?"].map(str::to_owned));
}

#[test]
fn pause_waits_for_open_calls() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x"})));
    play.hears("x");
    let input = play.model_input(calls([call("w_request", json!({})), metadata()]));
    play.feed(&[input]);
    play.set(Paused);
    play.is(Running, "w");
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.answer([]);
    play.is(Paused, "w");
    assert_eq!(play.results().len(), 2);
    play.resume(None, [text("?")]);
    play.is(Paused, "w");
}

#[test]
fn takeover_of_a_paused_execution_resumes_in_the_same_node() {
    let mut play = Play::new(graph_b());
    play.say("help", [calls([go("g")]), text("topic?")]);
    play.set(Handoff);
    play.is(Handoff, "g");
    assert_eq!(play.state.handoff.reason.as_deref(), Some("by the API"));
    assert_eq!(play.results().last(), Some(&json!({"error": "a person has taken over"})));
    play.say("hello?", []);
    play.is(Handoff, "g");
    play.resume(Some(ExecutionInput::Payload { value: json!({"done": true}) }), [text("back")]);
    play.is(Paused, "g");
    assert_eq!(play.state.visit.triggering_node.as_deref(), Some("a"), "it is the same visit");
}

#[test]
fn takeover_during_a_turn_waits_for_requests_that_have_left() {
    let mut play = in_status(Running);
    let input = play.model_input(calls([note("One moment."), note("never")]));
    play.feed(&[input]);
    play.set(Handoff);
    play.is(Running, "a");
    play.answer([]);
    play.is(Handoff, "a");
    assert_eq!(play.sent(), ["One moment."]);
}

#[test]
fn resume_clears_everything_that_silenced_the_agent() {
    // Paused while a handoff was about to start.
    let mut play = in_status(Running);
    let input = play.model_input(text_and("A colleague will write.", [go("h")]));
    play.feed(&[input]);
    play.set(Paused);
    play.answer([]);
    play.is(Handoff, "h");
    play.resume(user_input("hi"), [text("I am back.")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["A colleague will write.", "I am back."]);
    assert_eq!((play.state.handoff.reason.as_deref(), play.state.inputs.requested_status.as_ref()), (None, None));
}

fn straight_to_a_person(edges: &[(&str, &str, &str)]) -> Play {
    let nodes = [json!({"name": "h", "type": "HandoffNode"}), json!({"name": "after", "prompt": "Help."})];
    let start = [("__start__", "h", "")];
    let edges: Vec<_> = start.iter().chain(edges).copied().collect();
    let mut play = Play::new(agent(&nodes, &edges));
    play.say("hi", []);
    play.is(Handoff, "h");
    play
}

#[test]
fn s13_handoff_from_start_continues_along_its_edge_or_ends() {
    let mut play = straight_to_a_person(&[("h", "after", ""), ("after", "__end__", "done")]);
    play.resume(None, [text("back")]);
    play.is(Paused, "after");
    for edges in [&[][..], &[("h", "__end__", "")]] {
        let mut play = straight_to_a_person(edges);
        play.resume(None, []);
        play.is(Ended, "h");
        assert_eq!(play.state.phase.end_reason(), Some("handoff_done"));
        assert_eq!(play.requests.len(), 0);
    }
}

#[test]
fn takeover_in_a_warm_end_lasts_a_day() {
    let mut play = Play::new(graph_warm());
    play.say("x", [text("Anything else?")]);
    play.set(Handoff);
    let (kind, _, at) = play.timer.unwrap();
    assert_eq!((kind, at - play.now), (TimerKind::Inactivity, Span::from_hours(24)));
    assert_eq!(play.state.phase.interrupt().unwrap().expires_at, Some(at));
    play.wait(Span::from_hours(23));
    play.outside("I am still looking.");
    play.wait(Span::from_hours(2));
    play.tick();
    play.is(Handoff, "w");
    play.wait(Span::from_hours(22));
    play.tick();
    play.is(Ended, "w");
    assert_eq!(play.state.phase.end_reason(), Some("inactivity_timeout"));
}

#[test]
fn silence_is_counted_from_the_latest_message() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    play.wait(Span::from_hours(10));
    play.resume(None, [text("still there?")]);
    assert_eq!(play.timer.map(|(_, _, at)| at - play.now), Some(Span::from_hours(14)));
    play.wait(Span::from_hours(14));
    play.tick();
    play.is(Ended, "a");
}

#[test]
fn resume_of_another_interrupt_changes_nothing() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    let first = play.state.phase.interrupt().cloned().unwrap().id;
    play.say("y", [text("??")]);
    let before = (play.state.phase.interrupt().cloned(), play.requests.len());
    let resume = |id: &str| Input::Resume { id: "r".into(), message: user_input("z"), interrupt: Some(id.into()) };
    play.feed(&[resume(&first)]);
    assert_eq!((play.state.phase.interrupt().cloned(), play.requests.len()), before);
    assert_eq!(play.last("warning")["code"], "interrupt_mismatch");
    let second = before.0.unwrap().id;
    play.feed(&[resume(&second)]);
    play.answer([text("?")]);
    assert_eq!(play.user_messages(), ["x", "y", "z"]);
    assert_eq!(play.last("interrupt.resolved")["id"], json!(second));
}

#[test]
fn an_execution_that_the_api_failed_stays_failed() {
    let mut play = in_status(Running);
    play.set(Failed);
    play.failed("set_by_api");
    assert_eq!(play.state.phase.error().unwrap().at, Some(play.now));
    play.resume(None, []);
    play.failed("set_by_api");
}

fn with(limits: Limits) -> Play {
    Play::new(Compiled::new(&AgentContent { limits, ..content_a() }).unwrap())
}

fn costly(tokens: u64) -> domain::chat::ModelResponse {
    let usage = Usage { input_tokens: tokens, output_tokens: 1, cached_tokens: 0 };
    domain::chat::ModelResponse { usage, model: "m".into(), ..calls([metadata()]) }
}

#[test]
fn exhausted_budget_fails_or_hands_off() {
    let mut play = with(Limits { token_budget: Some(100), ..Limits::default() });
    play.say("x", [costly(60), costly(60)]);
    play.failed("budget_exceeded");
    assert_eq!(play.state.usage_by_model["m"].input_tokens, 120);
    assert_eq!(
        (&play.last("turn.finished")["tokens"], &play.last("turn.finished")["llm_calls"]),
        (&json!(122), &json!(2))
    );
    play.resume(None, []);
    play.failed("budget_exceeded");
    let mut play = with(Limits { token_budget: Some(100), over_budget: OverBudget::Handoff, ..Limits::default() });
    play.say("x", [costly(100)]);
    play.is(Handoff, "a");
    assert_eq!(play.state.handoff.reason.as_deref(), Some("budget_exceeded"));
}

#[test]
fn an_agent_may_set_each_limit_for_itself() {
    let failed = |limits: Limits, answer: fn() -> domain::chat::ModelResponse| {
        let mut play = with(limits);
        play.hears("x");
        for _ in 0..30 {
            if play.state.phase.pending().is_some() {
                play.answer([answer()]);
            }
        }
        play.state.phase.error().map(|error| error.code.clone())
    };
    let default = Limits::default;
    let looks = || calls([metadata()]);
    assert_eq!(failed(Limits { recursion_limit: 4, ..default() }, looks).as_deref(), Some("step_limit"));
    assert_eq!(failed(Limits { max_steps: 2, ..default() }, looks).as_deref(), Some("node_step_limit"));
    assert_eq!(failed(Limits { node_entries: 1, ..default() }, looks).as_deref(), Some("routing_loop"));
    assert_eq!(
        failed(Limits { invalid_moves: 1, ..default() }, || calls([go("x")])).as_deref(),
        Some("routing_failed")
    );
    let mut play = with(Limits { turn_seconds: 10, ..default() });
    play.hears("x");
    play.wait(Span::from_secs(11));
    play.answer([looks()]);
    play.failed("turn_timeout");
}

#[test]
fn failed_turn_reports_its_counters() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.wait(Span::from_secs(2));
    play.answer([calls([note("on its way"), go("q")]), calls([go("q")]), calls([go("q")])]);
    play.failed("routing_failed");
    let finished = play.last("turn.finished");
    assert_eq!((&finished["ms"], finished["effects"].as_array().map(Vec::len)), (&json!(2_000), Some(1)));
    assert_eq!(&play.names()[play.names().len() - 2..], ["execution.status", "turn.finished"]);
}

#[test]
fn events_of_a_turn_have_the_specified_fields() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x"})));
    play.hears("x");
    play.wait(Span::from_secs(1));
    play.tool_answers = vec![ToolAnswer::Failed { code: "read_timeout".into(), message: "no answer".into() }];
    let input = play.model_input(calls([call("w_request", json!({}))]));
    play.feed(&[input]);
    play.wait(Span::from_secs(3));
    play.answer([text("Sorry?")]);
    assert_eq!(play.events[1].data, json!({"turn": 1, "input_kind": "user_input", "ids": ["input_1"]}));
    let responded: Vec<&Value> =
        play.events.iter().filter(|event| event.name == "llm.responded").map(|event| &event.data).collect();
    assert_eq!((&responded[0]["ms"], &responded[0]["attempt"]), (&json!(1_000), &json!(1)));
    let result = play.last("tool.result");
    let promised = ["ok", "code", "ms"].map(|name| result[name].clone());
    assert_eq!(promised, [json!(false), json!("read_timeout"), json!(3_000)]);
    let asked = play.last("llm.requested");
    assert!(asked["est_tokens"].as_u64().unwrap() > 300 && asked["tools"] == json!(6), "{asked}");
    let sent = play.last("message.sent");
    assert_eq!((&sent["kind"], &sent["text"], &sent["message_id"]), (&json!("text"), &json!("Sorry?"), &json!("m")));
    play.say("y", [calls([wait()])]);
    assert_eq!(play.last("turn.started")["ids"], json!(["input_2"]));
}
