//! Every turn ends: docs/spec/engine.md 2.8, S26.

use crate::{
    graphs::{agent, graph_a, graph_b, graph_webhook},
    play::{Play, call, calls, go, metadata, note, text, text_and},
};
use domain::{
    Span,
    chat::ModelResponse,
    execution::ExecutionStatus::{Ended, Paused},
    tool_request::ToolAnswer,
};
use engine::limits;
use serde_json::json;

/// Target of the n-th move between a and b.
fn other(n: usize) -> &'static str {
    if n.is_multiple_of(2) { "b" } else { "a" }
}

/// The model gives the same kind of answer until the turn is over.
fn for_ever(play: &mut Play, mut answer: impl FnMut(usize) -> ModelResponse) -> usize {
    play.hears("x");
    for n in 0..200 {
        if play.state.phase.pending().is_none() {
            return n;
        }
        play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }; 99];
        play.answer([answer(n)]);
    }
    panic!("the turn does not end");
}

#[test]
fn s26_endless_moves_end_the_turn_and_can_be_resumed() {
    let mut play = Play::new(graph_b());
    for_ever(&mut play, |n| calls([go(other(n))]));
    play.failed("routing_loop");
    assert_eq!(play.entered().len(), 25);
    assert_eq!(play.names().last(), Some(&"turn.finished"));
    play.resume(None, [text("sorry?")]);
    play.is(Paused, "a");
    assert_eq!(play.state.phase.error(), None);
}

#[test]
fn endless_metadata_calls_end_the_turn() {
    let mut play = Play::new(graph_a());
    let asked = for_ever(&mut play, |_| calls([metadata()]));
    play.failed("node_step_limit");
    assert_eq!(asked, 20);
}

#[test]
fn a_node_may_have_a_limit_of_its_own() {
    let nodes = [json!({"name": "a", "max_steps": 3})];
    let mut play = Play::new(agent(&nodes, &[("__start__", "a", ""), ("a", "__end__", "")]));
    assert_eq!(for_ever(&mut play, |_| calls([metadata()])), 3);
    play.failed("node_step_limit");
}

#[test]
fn invalid_moves_end_the_turn_even_within_one_answer() {
    let mut play = Play::new(graph_b());
    assert_eq!(for_ever(&mut play, |_| calls([go("nowhere")])), 3);
    play.failed("routing_failed");
    let mut play = Play::new(graph_b());
    assert_eq!(for_ever(&mut play, |_| calls((0..50).map(|_| go("nowhere")))), 1);
    play.failed("routing_failed");
    assert_eq!(play.results().iter().filter(|result| result["next_node"] == "NOT_FOUND").count(), 3);
}

#[test]
fn valid_move_resets_the_count_of_invalid_ones() {
    let mut play = Play::new(graph_b());
    let script = [go("x"), go("y"), go("b"), go("x"), go("y"), go("end")].map(|call| calls([call]));
    play.say("x", script);
    play.is(Ended, "b");
}

#[test]
fn endless_sends_end_the_turn() {
    let mut play = Play::new(graph_a());
    for_ever(&mut play, |_| text_and("hi", [note("there")]));
    play.failed("node_step_limit");
    assert_eq!(play.sent().len(), 10);
}

#[test]
fn many_calls_per_answer_end_the_turn_after_a_bounded_number_of_requests() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x"})));
    for_ever(&mut play, |_| calls((0..50).map(|_| call("w_request", json!({})))));
    play.failed("step_limit");
    assert!(play.web_requests().len() <= 80, "{}", play.web_requests().len());
    assert!(play.count("warning") > 0);
}

#[test]
fn long_turn_gets_one_wrap_up_note_and_may_still_end_well() {
    let mut play = Play::new(graph_b());
    // Seven metadata calls and a move per visit, far from every other limit.
    let visit = |n: usize| {
        calls([metadata(), metadata(), metadata(), metadata(), metadata(), metadata(), metadata(), go(other(n))])
    };
    play.say("x", (0..8).map(visit).chain([calls([metadata()]), text("Sorry, that took long.")]));
    play.is(Paused, "a");
    let notes =
        play.user_messages().into_iter().filter(|text| text.starts_with("[system note] This turn is getting long."));
    assert_eq!(notes.count(), 1);
    let mut play = Play::new(graph_b());
    for_ever(&mut play, visit);
    play.failed("step_limit");
    assert!(play.state.turn.steps <= limits::STEPS + 1);
}

#[test]
fn turn_timeout_fails_the_turn_but_prevents_no_wait() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.wait(Span::from_secs(301));
    play.answer([text("late but said")]);
    play.is(Paused, "a");
    play.hears("y");
    play.wait(Span::from_secs(301));
    play.answer([calls([metadata()])]);
    play.failed("turn_timeout");
}

#[test]
fn a_resumed_turn_has_limits_of_its_own() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.wait(Span::from_secs(301));
    play.answer([calls([metadata()])]);
    play.resume(None, []);
    assert_eq!(play.state.turn.started_at, Some(play.now));
    play.wait(Span::from_secs(301));
    play.answer([calls([metadata()])]);
    play.failed("turn_timeout");
}

#[test]
fn two_empty_answers_end_the_turn_and_the_first_adds_a_note() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([note("1")]), ModelResponse::default(), text(" \n ")]);
    play.is(Paused, "a");
    assert_eq!(play.count("llm.empty"), 2);
    assert!(play.user_messages()[1].starts_with("[system note] Your answer was empty"));
    assert_eq!(
        play.state.phase.interrupt().map(|interrupt| (interrupt.kind, interrupt.call.is_none())),
        Some((engine::InterruptKind::Idle, true))
    );
    play.say("y", [text("?")]);
    play.is(Paused, "a");
}

#[test]
fn message_with_the_second_empty_answer_is_answered() {
    let mut play = Play::new(graph_a());
    play.hears("0");
    for n in 1..=3 {
        let input = play.model_input(text("unseen"));
        play.feed(&[input, engine::Input::Message { id: n.to_string(), text: n.to_string(), picture: None }]);
    }
    let input = play.model_input(ModelResponse::default());
    play.feed(&[input]);
    let input = play.model_input(ModelResponse::default());
    play.feed(&[input, engine::Input::Message { id: "4".into(), text: "4".into(), picture: None }]);
    play.answer([text("here")]);
    assert_eq!(play.sent(), ["here"]);
}
