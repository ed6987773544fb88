//! A model that gives no answer: S28.

use crate::{
    graphs::graph_a,
    play::{Play, metadata, text, text_and},
};
use domain::{
    Span,
    chat::ModelFailureKind::{KeyMissing, Permanent, Temporary},
    execution::ExecutionStatus::Paused,
};
use engine::Input;

#[test]
fn s28_a_passing_failure_is_tried_again_after_a_while() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let began = play.now;
    let question = play.pending_model();
    play.model_fails(Temporary, Some(1_000));
    assert_eq!(play.state.due_at(), Some(began + Span::from_secs(1)));
    play.wait(Span::from_secs(1));
    play.model_fails(Temporary, None);
    let due = play.state.due_at().unwrap();
    assert!((1_000..1_130).contains(&(due - play.now).millis()));
    assert_eq!(play.pending_model(), question, "the same question");
    play.now = due;
    play.answer([text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.count("llm.retried"), 2);
}

#[test]
fn after_five_retries_the_execution_fails_and_keeps_what_was_said() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let mut waits = Vec::new();
    for _ in 0..5 {
        play.model_fails(Temporary, None);
        let due = play.state.due_at().unwrap();
        waits.push((due - play.now).millis());
        play.now = due;
    }
    let shortest: [i64; 5] = [500, 1_000, 2_000, 4_000, 8_000];
    for (wait, least) in waits.iter().zip(shortest) {
        assert!((least..=least + least / 8).contains(wait) && *wait <= 8_000, "{waits:?}");
    }
    play.hears("are you there?");
    play.model_fails(Temporary, None);
    play.failed("llm_unavailable");
    assert_eq!(play.user_messages(), ["x", "are you there?"]);
    play.open.clear();
    play.resume(None, [text("Yes!")]);
    play.is(Paused, "a");
}

#[test]
fn what_is_said_while_failed_is_taken_up_by_a_resume() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
    play.open.clear();
    let said = Input::Said { id: "s".into(), text: "hello?".into() };
    play.feed(std::slice::from_ref(&said));
    play.failed("llm_unavailable");
    play.feed(&[said, Input::Resume { id: "r".into(), message: crate::play::user_input("go on"), interrupt: None }]);
    play.answer([text("Yes!")]);
    assert_eq!(play.user_messages(), ["x", "hello?\nhello?\ngo on"]);
}

#[test]
fn a_refused_key_is_not_tried_again_and_a_missing_one_cannot_be_resumed() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
    assert_eq!(play.state.due_at(), None);
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.model_fails(KeyMissing, None);
    play.failed("llm_key_missing");
    play.open.clear();
    play.resume(None, []);
    play.failed("llm_key_missing");
}

#[test]
fn a_provider_that_asks_for_an_absurd_wait_is_asked_within_a_minute() {
    for (asked, waited) in [(i64::MAX, 60_000), (i64::MIN, 0), (-5, 0), (20_000, 20_000)] {
        let mut play = Play::new(graph_a());
        play.hears("x");
        play.model_fails(Temporary, Some(asked));
        assert_eq!(play.state.due_at(), Some(play.now + Span::from_millis(waited)));
    }
}

#[test]
fn an_answer_to_a_question_that_failed_for_good_is_ignored() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let late = play.model_input(text("late"));
    play.model_fails(Permanent, None);
    play.feed(&[late]);
    play.failed("llm_unavailable");
    assert_eq!(play.sent(), Vec::<&str>::new());
}

#[test]
fn a_resume_does_not_wait_for_sends_that_were_settled_while_the_execution_was_failed() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("One moment.", [metadata()]));
    play.feed(&[input]);
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
    play.open.clear();
    play.resume(None, [text("Here I am.")]);
    play.is(Paused, "a");
}
