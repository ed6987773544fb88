//! Odd answers: cut, refused, or with a history that the provider rejects (docs/spec/engine.md 5.4);
//! and model calls that are replaced after a new message.

use crate::{
    graphs::{content_a, graph_a, v1},
    play::{Play, ask, calls, note, refused, text, text_and},
};
use domain::{
    Span,
    chat::{
        ChatMessage, Ended,
        ModelFailureKind::{BadHistory, Permanent, Temporary},
        ModelResponse, ToolCall,
    },
    execution::ExecutionStatus::{Failed, Paused, Running},
};
use engine::{Effect, Input, model_request};
use serde_json::json;

fn cut(response: ModelResponse) -> ModelResponse {
    ModelResponse { ended: Ended::Cut, ..response }
}

fn refusal(response: ModelResponse) -> ModelResponse {
    ModelResponse { ended: Ended::Refused, ..response }
}

fn said(text: &str) -> Input {
    Input::Message { id: text.into(), text: text.into(), picture: None }
}

#[test]
fn an_answer_that_was_cut_is_not_used_and_the_next_one_may_be_twice_as_long() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    // The cut call is gone; the one before it is complete and is not run either.
    play.answer([cut(calls([note("half of it")]))]);
    assert!(!play.requests[0].doubled && play.requests[1].doubled);
    assert!(play.user_messages().last().unwrap().contains("cut off because it was too long"));
    play.answer([text("short")]);
    play.is(Paused, "a");
    assert_eq!((play.sent(), play.count("llm.responded")), (vec!["short"], 2));
    assert_eq!(play.last("warning")["code"], "answer_cut");
    // A new cut answer is repeated as well: the limit was reset.
    play.say("y", [cut(text("half a sen")), text("whole")]);
    assert_eq!(play.requests.iter().map(|request| request.doubled).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(play.sent(), ["short", "whole"]);
}

#[test]
fn answer_cut_twice_is_used_as_it_is() {
    let mut play = Play::new(graph_a());
    play.say("x", [cut(text("half a")), cut(text_and("half a sentence", [note("and a whole call")])), text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["half a sentence", "and a whole call", "?"]);
    // Nothing left of it: an empty answer.
    let mut play = Play::new(v1(content_a()));
    play.say("x", [cut(calls([])), cut(calls([])), calls([ask("?")])]);
    play.is(Paused, "a");
    assert_eq!(play.count("llm.empty"), 1);
}

#[test]
fn model_that_rejects_the_doubled_limit_gets_the_usual_one() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.answer([cut(text("half a sen"))]);
    play.open.clear();
    play.model_fails(Permanent, None);
    assert!(!play.requests.last().unwrap().doubled);
    play.open.retain(|effect| matches!(effect, Effect::CallModel(_)));
    play.answer([cut(text("half a sen"))]);
    assert_eq!(play.sent(), ["half a sen"]);
    play.is(Paused, "a");
}

#[test]
fn refusal_is_sent_in_version_2_and_private_in_version_1() {
    let mut play = Play::new(graph_a());
    play.say("x", [refusal(text_and("I cannot help with that.", [note("never")]))]);
    play.is(Paused, "a");
    assert_eq!((play.sent(), play.count("llm.refused")), (vec!["I cannot help with that."], 1));
    assert_eq!(play.last("interrupt.created")["kind"], "wait");

    let mut play = Play::new(v1(content_a()));
    play.say("x", [calls([note("One moment.")]), refusal(text("I cannot help with that."))]);
    play.is(Paused, "a");
    assert_eq!((play.sent(), play.count("llm.refused")), (vec!["One moment."], 1));
    assert_eq!(play.last("interrupt.created")["kind"], "idle");
    play.say("something else", [calls([ask("Yes?")])]);
    assert_eq!(play.sent(), ["One moment.", "Yes?"]);
}

#[test]
fn refusal_during_a_send_waits_after_the_send() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let first = play.model_input(text_and("One moment.", [crate::play::metadata()]));
    play.feed(&[first]);
    let second = play.model_input(refusal(calls([])));
    play.feed(&[second]);
    play.is(Running, "a");
    play.answer([]);
    play.is(Paused, "a");
    // A text that failed meanwhile is reported to the model, which answers again.
    let mut play = Play::new(graph_a());
    play.hears("x");
    let first = play.model_input(text_and("One moment.", [crate::play::metadata()]));
    play.feed(&[first]);
    let second = play.model_input(refusal(calls([])));
    play.feed(&[second]);
    play.send_outcomes = vec![refused("send_failed")];
    play.answer([text("Again.")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["One moment.", "Again."]);
}

#[test]
fn a_history_that_the_provider_refuses_is_repaired_once() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.open.clear();
    play.model_fails(BadHistory, None);
    assert!(play.pending_model().repaired);
    play.open.clear();
    play.model_fails(BadHistory, None);
    play.is(Failed, "a");
    play.failed("llm_unavailable");
}

#[test]
fn a_repaired_question_answers_every_call() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let call = engine::CallModel {
        repaired: true,
        from: 1,
        to: 3,
        step_prompt: None,
        first_input: None,
        ..play.pending_model()
    };
    let named = |id: &str| ToolCall { id: id.into(), name: "t".into(), arguments: json!({}) };
    let rows = [
        (1, ChatMessage::user("x".into())),
        (2, ChatMessage::assistant(None, vec![named("a"), named("b")])),
        (3, ChatMessage::Tool { call_id: "b".into(), content: "2".into() }),
    ];
    let shown = model_request(&play.agent, &play.state, &call, &rows).messages;
    let results: Vec<&str> = shown
        .iter()
        .filter_map(
            |message| if let ChatMessage::Tool { call_id, .. } = message { Some(call_id.as_str()) } else { None },
        )
        .collect();
    assert_eq!(results, ["a", "b"]);
    assert!(format!("{shown:?}").contains("interrupted"));
}

#[test]
fn waiting_retry_is_replaced_by_a_call_with_the_new_message() {
    let mut play = Play::new(graph_a());
    play.hears("one");
    play.model_fails(Temporary, Some(20_000));
    let due = play.state.due_at().unwrap();
    let before = play.pending_model();
    play.wait(Span::from_secs(3));
    play.open.clear();
    play.hears("two");
    assert_ne!(play.pending_model().id, before.id);
    assert_eq!(play.state.due_at(), Some(due), "the provider's wait is kept");
    assert_eq!(play.count("llm.discarded"), 0, "no answer was discarded");
    assert_eq!(play.state.turn.steps, 1);
    play.now = due;
    play.answer([text("both?")]);
    assert_eq!((play.user_messages(), play.sent()), (vec!["one", "two"], vec!["both?"]));
    // Its failures still count.
    let mut play = Play::new(graph_a());
    play.hears("0");
    for n in 0..5 {
        play.model_fails(Temporary, None);
        play.now = play.state.due_at().unwrap();
        play.hears(&n.to_string());
    }
    play.model_fails(Temporary, None);
    play.failed("llm_unavailable");
}

#[test]
fn replaced_model_call_is_not_counted() {
    let mut play = Play::new(graph_a());
    play.hears("one");
    // The worker that reclaims an execution feeds the outcomes that arrived, without an answer.
    let left = play.pending_model().id;
    let step = play.feed(&[said("two")]);
    assert!(step.effects.contains(&Effect::CancelModel { id: left }));
    assert_eq!(play.count("llm.discarded"), 1);
    play.answer([text("both?")]);
    assert_eq!(play.user_messages(), ["one", "two"]);
    // Three times in a turn; then the message waits for the answer.
    let mut play = Play::new(graph_a());
    play.hears("0");
    for n in 1..=5 {
        play.feed(&[said(&n.to_string())]);
    }
    assert_eq!(play.count("llm.discarded"), 3);
    play.answer([text("seen"), text("last")]);
    assert_eq!(play.sent(), ["seen", "last"]);
}
