//! Model calls without an answer: S28.

use crate::{
    graphs::graph_a,
    play::{Play, metadata, text, text_and},
};
use domain::{
    Span,
    chat::ModelFailureKind::{KeyMissing, Permanent, Temporary},
    execution::ExecutionStatus::Paused,
};
use engine::{Effect, Input};

#[test]
fn s28_temporary_model_failure_is_retried_after_backoff() {
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
fn execution_fails_after_five_retries_and_keeps_the_input() {
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
fn resume_answers_messages_received_while_failed() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
    play.open.clear();
    let said = Input::Message { id: "s".into(), text: "hello?".into(), picture: None };
    play.feed(std::slice::from_ref(&said));
    play.failed("llm_unavailable");
    play.feed(&[said, Input::Resume { id: "r".into(), message: crate::play::user_input("go on"), interrupt: None }]);
    play.answer([text("Yes!")]);
    assert_eq!(play.user_messages(), ["x", "hello?\nhello?\ngo on"]);
}

#[test]
fn rejected_key_is_not_retried_and_missing_key_is_not_resumable() {
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
fn retry_after_is_capped_at_one_minute() {
    for (asked, waited) in [(i64::MAX, 60_000), (i64::MIN, 0), (-5, 0), (20_000, 20_000)] {
        let mut play = Play::new(graph_a());
        play.hears("x");
        play.model_fails(Temporary, Some(asked));
        assert_eq!(play.state.due_at(), Some(play.now + Span::from_millis(waited)));
    }
}

#[test]
fn answer_after_permanent_failure_is_ignored() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let late = play.model_input(text("late"));
    play.model_fails(Permanent, None);
    play.feed(&[late]);
    play.failed("llm_unavailable");
    assert_eq!(play.sent(), Vec::<&str>::new());
}

#[test]
fn resume_does_not_wait_for_sends_settled_while_failed() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("One moment.", [metadata()]));
    play.feed(&[input]);
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
    play.open.retain(|effect| matches!(effect, Effect::Send { .. }));
    play.answer([]);
    play.resume(None, [text("Here I am.")]);
    play.is(Paused, "a");
}
