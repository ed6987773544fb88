//! Takeovers and resumes in the middle of a turn.

use crate::{
    graphs::{graph_a, graph_webhook},
    play::{Play, call, calls, metadata, text, text_and},
};
use domain::{
    chat::{ModelFailureKind, ModelResponse},
    execution::ExecutionStatus::{Failed, Handoff, Paused, Running},
    tool_request::ToolAnswer,
};
use engine::{Effect, Input};
use serde_json::json;

#[test]
fn answer_in_the_same_step_as_a_takeover_is_not_sent() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let answer = play.model_input(text("too late"));
    let takeover = Input::SetStatus { id: play.key(), status: Handoff, reason: "assigned".into() };
    play.feed(&[answer, takeover]);
    play.is(Handoff, "a");
    assert_eq!((play.sent().len(), play.count("llm.discarded")), (0, 1));
    play.resume(None, [text("here again")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["here again"]);
}

/// An execution that waits for a tool.
fn at_a_tool() -> Play {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x"})));
    play.hears("x");
    let input = play.model_input(calls([call("w_request", json!({}))]));
    play.feed(&[input]);
    play
}

fn gives_back(play: &mut Play) {
    let id = play.key();
    play.feed(&[Input::Resume { id, message: None, interrupt: None }]);
}

fn tool_answers(play: &mut Play, script: impl IntoIterator<Item = ModelResponse>) {
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.answer(script);
}

#[test]
fn resume_before_the_takeover_applied_returns_to_the_agent() {
    let mut play = at_a_tool();
    play.set(Handoff);
    gives_back(&mut play);
    play.is(Running, "w");
    tool_answers(&mut play, [text("it is there")]);
    play.is(Paused, "w");
    assert_eq!(play.sent(), ["it is there"]);
}

#[test]
fn second_takeover_cancels_an_earlier_resume() {
    let mut play = at_a_tool();
    play.set(Handoff);
    gives_back(&mut play);
    play.set(Handoff);
    tool_answers(&mut play, []);
    play.is(Handoff, "w");
    assert!(play.sent().is_empty());
    play.resume(None, [text("it is there")]);
    play.is(Paused, "w");
}

#[test]
fn takeover_after_a_revival_waits_for_sends_from_before_the_failure() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let first = play.model_input(text_and("One moment.", [metadata()]));
    play.feed(&[first]);
    for _ in 0..2 {
        play.open.retain(|effect| !matches!(effect, Effect::CallModel(_)));
        play.model_fails(ModelFailureKind::BadHistory, None);
    }
    play.is(Failed, "a");
    gives_back(&mut play);
    play.set(Handoff);
    play.is(Running, "a");
    play.answer([]);
    play.is(Handoff, "a");
    assert_eq!(play.sent(), ["One moment."]);
}
