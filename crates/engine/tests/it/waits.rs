//! Handoffs, warm ends, timers and resumes: S13, S14 and the table of docs/spec/engine.md 2.9.

use crate::{
    graphs::{graph_a, graph_handoff, graph_warm},
    play::{Play, accepted, call, calls, go, metadata, note, stop, text, text_and, user_input, wait},
};
use domain::{
    Span,
    chat::ModelFailureKind,
    execution::{
        ExecutionInput,
        ExecutionStatus::{Ended, Handoff, Paused, Running, Stopped},
        TimerKind,
    },
};
use engine::{Effect, Input};
use serde_json::json;

fn angry() -> domain::chat::ToolCall {
    call("MoveToNextNode", json!({"next_node": "h", "reason": "angry"}))
}

#[test]
fn s13_person_takes_over_and_resumes() {
    let mut play = Play::new(graph_handoff());
    play.say("human", [calls([note("Wait"), angry()])]);
    play.is(Handoff, "h");
    assert_eq!(play.sent(), ["Wait"]);
    assert_eq!(play.state.handoff.reason.as_deref(), Some("angry"));
    play.say("hello?", []);
    play.outside("I am Bea, how can I help?");
    play.is(Handoff, "h");
    assert_eq!(play.user_messages(), ["human", "hello?"]);
    play.resume(Some(ExecutionInput::Payload { value: json!({"done": true}) }), [text("ok?")]);
    play.is(Paused, "a");
    assert_eq!(play.requests.len(), 2);
    assert!(
        play.user_messages().iter().any(|text| text.starts_with("[system data]") && text.contains("{\"done\":true}"))
    );
    assert_eq!(play.state.handoff.reason, None);
}

#[test]
fn resume_with_a_message_lets_the_model_answer_it() {
    let mut play = Play::new(graph_handoff());
    play.say("human", [calls([angry()])]);
    play.resume(user_input("where is my order?"), [text("ok?")]);
    play.is(Paused, "a");
    assert_eq!(play.user_messages().last(), Some(&"where is my order?"));
}

#[test]
fn handoff_from_a_global_visit_returns_to_the_visits_origin() {
    let mut play = Play::new(graph_handoff());
    play.say("complaint", [calls([go("use_g__at__a")]), calls([angry()])]);
    play.is(Handoff, "h");
    play.resume(None, [text("ok?")]);
    play.is(Paused, "a");
    assert_eq!(play.state.visit.triggering_node, None);
}

#[test]
fn message_during_a_handoff_restarts_its_timer() {
    let mut play = Play::new(graph_handoff());
    play.say("human", [calls([angry()])]);
    let first = play.timer;
    play.wait(Span::from_hours(23));
    play.say("anybody?", []);
    play.wait(Span::from_hours(2));
    play.feed(&[Input::Timer { generation: first.unwrap().1 }]);
    play.is(Handoff, "h");
    play.wait(Span::from_hours(22));
    play.tick();
    play.is(Ended, "h");
    assert_eq!(play.state.phase.end_reason(), Some("inactivity_timeout"));
}

#[test]
fn failed_send_does_not_prevent_a_handoff() {
    let mut play = Play::new(graph_handoff());
    play.hears("human");
    play.send_outcomes = vec![crate::play::refused("outside_service_window")];
    let input = play.model_input(text_and("A colleague will write.", [angry()]));
    play.feed(&[input]);
    play.is(Running, "a");
    play.answer([]);
    play.is(Handoff, "h");
    let mut play = Play::new(graph_handoff());
    play.send_outcomes = vec![crate::play::refused("outside_service_window"); 3];
    play.say("human", [text("Why?"), text("Why?"), text_and("A colleague will write.", [angry()])]);
    play.is(Handoff, "h");
}

#[test]
fn s14_warm_end_times_out_and_a_reply_restarts_its_timer() {
    let mut play = Play::new(graph_warm());
    play.say("x", [text("Anything else?")]);
    assert_eq!(play.timer.map(|(kind, _, at)| (kind, at - play.now)), Some((TimerKind::WarmEnd, Span::from_mins(5))));
    play.wait(Span::from_mins(4));
    play.tick();
    play.say("yes", [text("Ok")]);
    play.is(Paused, "w");
    play.wait(Span::from_mins(4));
    play.tick();
    play.is(Paused, "w");
    play.wait(Span::from_mins(2));
    play.tick();
    play.is(Ended, "w");
    assert_eq!(play.state.phase.end_reason(), Some("warm_end_timeout"));
    assert_eq!((play.requests.len(), play.sent().len()), (2, 2));
}

#[test]
fn reply_in_the_same_step_as_the_timer_wins() {
    for order in [[0, 1], [1, 0]] {
        let mut play = Play::new(graph_warm());
        play.say("x", [text("Anything else?")]);
        let inputs = [
            Input::Timer { generation: play.state.generation },
            Input::Message { id: "r".into(), text: "yes".into(), picture: None },
        ];
        play.feed(&order.map(|at| inputs[at].clone()));
        play.answer([text("What?")]);
        play.is(Paused, "w");
    }
}

#[test]
fn timer_of_an_earlier_wait_is_ignored() {
    let mut play = Play::new(graph_warm());
    play.say("x", [text("Anything else?")]);
    let earlier = play.state.generation;
    play.hears("yes");
    play.feed(&[Input::Timer { generation: earlier }]);
    play.is(Running, "w");
    play.answer([text("Ok")]);
    let before = play.state.clone();
    play.feed(&[Input::Timer { generation: earlier }]);
    assert_eq!(play.state, before);
}

#[test]
fn execution_ends_after_a_day_of_silence() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    play.wait(Span::from_hours(24));
    play.tick();
    play.is(Ended, "a");
    assert_eq!(play.results(), [json!({"error": "interrupted"})], "the call that waited is answered");
}

#[test]
fn resume_without_message_answers_the_waiting_call() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    play.resume(None, [text("go on")]);
    play.is(Paused, "a");
    assert_eq!(play.results(), [json!({"resumed": true})]);
    play.resume(Some(ExecutionInput::Payload { value: json!({"paid": 1}) }), [calls([wait()])]);
    assert_eq!(play.results()[1], json!({"paid": 1}));
    assert_eq!(play.user_messages(), ["x"], "data is not said");
}

#[test]
fn late_resume_does_not_end_the_next_wait() {
    let mut play = Play::new(graph_handoff());
    play.hears("x");
    play.resume(None, []);
    play.answer([calls([angry()])]);
    play.is(Handoff, "h");
    let mut play = Play::new(graph_a());
    play.hears("x");
    play.resume(user_input("and y"), []);
    play.answer([text("both")]);
    play.is(Paused, "a");
    assert_eq!((play.sent(), play.user_messages()), (vec!["both"], vec!["x", "and y"]));
}

#[test]
fn two_resumes_in_one_step_lose_no_message() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    let resume = |text: &str| Input::Resume { id: text.into(), message: user_input(text), interrupt: None };
    play.feed(&[resume("one"), resume("two")]);
    play.answer([text("both")]);
    assert_eq!(play.user_messages(), ["x", "one\ntwo"]);
}

#[test]
fn messages_of_others_do_not_separate_a_call_from_its_result() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    play.outside("Your parcel has left.");
    play.say("thanks", [text("Welcome")]);
    play.is(Paused, "a");
    assert!(play.requests[1].messages.iter().any(|message| format!("{message:?}").contains("Your parcel has left.")));
}

#[test]
fn stop_applies_in_every_status() {
    let mut play = Play::new(graph_a());
    play.stop();
    play.is(Stopped, "__start__");
    let mut play = Play::new(graph_a());
    play.say("x", [text("?")]);
    play.stop();
    play.is(Stopped, "a");
    assert_eq!(play.results(), [json!({"error": "stopped"})]);
    let mut play = Play::new(graph_handoff());
    play.say("x", [calls([angry()])]);
    let step = play.stop();
    play.is(Stopped, "h");
    assert_eq!(step.effects, [Effect::ClearTimer]);
}

#[test]
fn inputs_after_the_end_change_nothing() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([go("end")])]);
    let before = play.state.clone();
    let said = Input::Message { id: "s".into(), text: "hello?".into(), picture: None };
    let resume = Input::Resume { id: "r".into(), message: user_input("go on"), interrupt: None };
    let step = play.feed(&[said, resume, stop(), Input::Timer { generation: before.generation }]);
    assert_eq!((&play.state, step), (&before, engine::Step::default()));
    let step = engine::fail_unrunnable(&mut play.state, play.now, &[], "gone");
    assert_eq!((&play.state, step), (&before, engine::Step::default()));
}

#[test]
fn unrunnable_agent_takes_the_outcomes_of_its_sends() {
    for failed_before in [false, true] {
        let mut play = Play::new(graph_a());
        play.hears("x");
        let input = play.model_input(text_and("One moment.", [metadata()]));
        play.feed(&[input]);
        if failed_before {
            play.model_fails(ModelFailureKind::Permanent, None);
        }
        let sent = Input::Sent { effect: play.state.sends[0].effect.clone(), outcome: accepted() };
        let step = engine::fail_unrunnable(&mut play.state, play.now, &[sent], "gone");
        assert_eq!(step.events.last().expect("an event").name, "message.sent");
        if !failed_before {
            play.failed("graph_invalid");
            continue;
        }
        // It can run again, and a wait needs all sends settled.
        play.events.extend(step.events);
        play.open.clear();
        play.resume(None, [text("Here I am.")]);
        play.is(Paused, "a");
    }
}

#[test]
fn unrunnable_agent_fails_and_leaves_no_call_open() {
    let mut play = Play::new(graph_a());
    play.say("x", [text_and("?", [wait(), note("later")])]);
    let step = engine::fail_unrunnable(&mut play.state, play.now, &[], "gone");
    play.failed("graph_invalid");
    let results = step.history.iter().map(|entry| serde_json::to_value(&entry.message).unwrap()["content"].clone());
    assert_eq!(results.collect::<Vec<_>>(), [r#"{"error":"interrupted"}"#, r#"{"error":"interrupted"}"#]);
}
