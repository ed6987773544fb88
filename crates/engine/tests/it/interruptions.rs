//! Inputs during a model call or tool: S15, S31, and outcomes that come late, twice or
//! unexpectedly.

use crate::{
    graphs::{graph_a, graph_webhook},
    play::{Play, accepted, call, calls, note, refused, stop, text, text_and},
};
use domain::{
    chat::{ModelFailure, ModelFailureKind},
    execution::ExecutionStatus::{Failed, Paused, Running, Stopped},
    tool_request::ToolAnswer,
};
use engine::{Input, Pending, SendOutcome};
use serde_json::json;

fn sent_of(play: &Play, outcome: SendOutcome) -> Input {
    Input::Sent { effect: play.state.sends[0].effect.clone(), outcome }
}

#[test]
fn s15_stop_during_model_call_applies_at_once_and_discards_the_answer() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let late = play.model_input(text("too late"));
    play.stop();
    play.is(Stopped, "a");
    let before = play.state.clone();
    play.feed(&[late]);
    assert_eq!((play.state.clone(), play.sent()), (before, vec![]));
}

#[test]
fn stop_in_the_same_step_as_a_model_answer_wins() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text("too late"));
    play.feed(&[input, stop()]);
    play.is(Stopped, "a");
    assert_eq!(play.sent(), Vec::<&str>::new());
    for kind in [ModelFailureKind::Temporary, ModelFailureKind::Permanent] {
        let mut play = Play::new(graph_a());
        play.hears("x");
        let failure = ModelFailure { kind, message: "busy".into(), retry_after_ms: None, ..ModelFailure::default() };
        let effect = play.pending_model().id;
        play.feed(&[Input::ModelFailed { effect, failure }, stop()]);
        play.is(Stopped, "a");
    }
}

#[test]
fn stop_waits_for_a_running_webhook() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x"})));
    play.hears("x");
    let input = play.model_input(calls([call("w_request", json!({})), note("never")]));
    play.feed(&[input]);
    play.stop();
    play.is(Running, "w");
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({"ok": 1}), truncated: false }];
    play.answer([]);
    play.is(Stopped, "w");
    assert_eq!(play.results(), [json!({"status_code": 200, "content": {"ok": 1}}), json!({"error": "stopped"})]);
}

#[test]
fn s31_answer_is_discarded_when_a_message_arrived_meanwhile() {
    let mut play = Play::new(graph_a());
    play.hears("one");
    let answer = play.model_input(text("1?"));
    let said = |word: &str| Input::Message { id: word.into(), text: word.into(), picture: None };
    play.feed(&[answer, said("two"), said("three")]);
    play.answer([text("all?")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["all?"]);
    assert_eq!(play.user_messages(), ["one", "two\nthree"]);
    assert_eq!(play.count("llm.discarded"), 1);
}

#[test]
fn contact_who_keeps_writing_is_answered_after_three_discards() {
    let mut play = Play::new(graph_a());
    play.hears("0");
    for n in 1..=3 {
        let input = play.model_input(text("unseen"));
        play.feed(&[input, Input::Message { id: n.to_string(), text: n.to_string(), picture: None }]);
    }
    // The message and the answer come in one step: the answer is used and the message is the reply to it.
    let input = play.model_input(text("seen"));
    play.feed(&[input, Input::Message { id: "4".into(), text: "4".into(), picture: None }]);
    assert_eq!(play.sent(), ["seen"]);
    play.answer([text("last")]);
    assert_eq!(play.sent(), ["seen", "last"]);
    assert_eq!(play.user_messages(), ["0", "1", "2", "3", "4"]);
}

#[test]
fn unexpected_outcomes_change_nothing() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let before = play.state.clone();
    let answer = ToolAnswer::Failed { code: "x".into(), message: "x".into() };
    play.feed(&[
        Input::Model { effect: "foreign".into(), response: text("?") },
        Input::Sent { effect: "foreign".into(), outcome: accepted() },
        Input::Tool { effect: "foreign".into(), answer },
        Input::Timer { generation: 0 },
    ]);
    assert_eq!(play.state, before);
    let input = play.model_input(text("once"));
    play.feed(&[input.clone(), input.clone()]);
    play.feed(&[input]);
    let sent = sent_of(&play, accepted());
    play.feed(&[sent.clone(), sent]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["once"]);
}

#[test]
fn failed_send_after_stop_does_not_fail_the_execution() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("a", [note("b")]));
    play.feed(&[input]);
    assert!(matches!(play.state.phase.pending(), Some(Pending::SendsOf { .. })));
    play.stop();
    play.is(Stopped, "a");
    let failed = sent_of(&play, refused("channel_auth"));
    play.feed(&[failed]);
    play.is(Stopped, "a");
    assert_eq!(play.state.phase.error(), None);
}

#[test]
fn answer_in_the_same_step_as_a_lost_channel_is_discarded() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("a", [crate::play::metadata()]));
    play.feed(&[input]);
    let answer = play.model_input(text("b"));
    let failed = sent_of(&play, refused("channel_auth"));
    play.feed(&[answer, failed]);
    play.is(Failed, "a");
    play.failed("channel_auth");
    assert_eq!(play.sent(), ["a"]);
    play.resume(None, []);
    play.failed("channel_auth");
}

#[test]
fn messages_before_a_stop_stay_in_history() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.feed(&[Input::Message { id: "s".into(), text: "never mind".into(), picture: None }, stop()]);
    play.is(Stopped, "a");
    assert_eq!(play.user_messages(), ["x", "never mind"]);
}
