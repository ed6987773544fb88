//! Sends that do not arrive: S29.

use crate::{
    graphs::graph_a,
    play::{Play, calls, go, metadata, note, refused, text, text_and},
};
use domain::execution::ExecutionStatus::{Ended, Paused};
use engine::SendOutcome;
use serde_json::json;

#[test]
fn s29_an_agent_never_waits_for_the_answer_to_an_unsent_question() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("a?")]);
    play.send_outcomes = vec![refused("send_failed"); 3];
    play.say("y", [text("b?"), text("b?"), text("b?")]);
    play.failed("send_failed");
    let told = json!({"error": "WhatsApp refused it", "code": "send_failed"});
    assert_eq!(play.results()[1..], [told.clone(), told.clone(), told]);
    assert_eq!(play.count("message.failed"), 3);
    play.resume(None, [text("b?")]);
    play.is(Paused, "a");
}

#[test]
fn question_sent_at_the_second_attempt_waits_for_the_reply() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![refused("send_failed")];
    play.say("x", [text("a?"), text("a!?")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["a?", "a!?"]);
}

#[test]
fn failed_text_in_pieces_is_reported_once() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![refused("send_failed"); 3];
    play.say("x", [text(&"long ".repeat(2_000)), text("short")]);
    play.is(Paused, "a");
    assert_eq!(play.state.turn.failed_sends, 1);
    assert_eq!(play.state.failed_sends, []);
}

#[test]
fn failed_notification_is_returned_to_the_model() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![refused("outside_service_window"), SendOutcome::Unconfirmed { message_id: "m".into() }];
    play.say("x", [calls([note("a"), note("b"), go("end")])]);
    play.is(Ended, "a");
    assert_eq!(play.results()[0]["code"], "outside_service_window");
    assert_eq!(play.results()[1], json!({"status": "sent", "message_id": "m"}));
}

#[test]
fn lost_channel_fails_the_execution_permanently() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![refused("channel_auth")];
    play.say("x", [text("a?")]);
    play.failed("channel_auth");
    play.resume(None, []);
    play.failed("channel_auth");
}

#[test]
fn failed_text_with_calls_is_reported_before_the_next_answer() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![refused("send_failed")];
    play.say("x", [text_and("a", [note("b")]), text("c")]);
    play.is(Paused, "a");
    assert_eq!(
        play.user_messages()[1],
        "[system note] Your last message was not delivered: WhatsApp refused it (send_failed)"
    );
    let mut play = Play::new(graph_a());
    play.hears("x");
    // The outcome arrives during a model call: the model is called again after its text.
    let input = play.model_input(text_and("a", [metadata()]));
    play.feed(&[input]);
    let failed = engine::Input::Sent { effect: play.state.sends[0].effect.clone(), outcome: refused("send_failed") };
    play.open.remove(0);
    play.feed(&[failed]);
    play.answer([text("b"), text("a and b")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["a", "b", "a and b"]);
}

#[test]
fn a_notification_in_several_pieces_is_answered_when_the_last_is_settled() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(calls([note(&"long ".repeat(2_000)), metadata()]));
    play.feed(&[input]);
    assert_eq!(play.state.sends.len(), 3);
    while let Some(send) = play.state.sends.first().cloned() {
        assert!(play.results().is_empty(), "answered while a piece is on its way");
        let outcome = if play.state.sends.len() == 2 { refused("send_failed") } else { crate::play::accepted() };
        play.feed(&[engine::Input::Sent { effect: send.effect, outcome }]);
    }
    assert_eq!(play.results()[0]["code"], "send_failed");
}
