//! Messages, questions and waits: S01, S02, S05, S06, S08, S09, S10, S25, S30.

use crate::{
    graphs::{graph_a, graph_b},
    play::{Play, call, calls, go, metadata, note, text, text_and, wait},
};
use domain::{
    chat::ChatMessage,
    execution::{
        ExecutionStatus::{Ended, Paused},
        TimerKind,
    },
};
use engine::{Pending, limits};
use serde_json::json;

#[test]
fn s01_first_message_is_answered_and_the_agent_waits() {
    let mut play = Play::new(graph_a());
    play.say("hi", [text("Yes?")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["Yes?"]);
    assert_eq!(
        play.names(),
        [
            "execution.created",
            "turn.started",
            "execution.status",
            "input.injected",
            "node.entered",
            "llm.requested",
            "llm.responded",
            "tool.called",
            "message.sent",
            "interrupt.created",
            "execution.status",
            "turn.finished",
        ]
    );
    let [request] = &play.requests[..] else { panic!("one model call") };
    assert!(request.system.contains("You sell paper.") && request.system.contains("+5511961234567"));
    assert!(request.messages.contains(&ChatMessage::user("hi".into())));
    let prompt = &play.history[2].1;
    assert!(
        matches!(prompt, ChatMessage::Tool { content, .. } if content.contains("\n- __end__: nothing more is wanted\n"))
    );
    assert_eq!(
        play.timer.map(|(kind, _, at)| (kind, at - play.now)),
        Some((TimerKind::Inactivity, limits::INACTIVITY))
    );
}

#[test]
fn s02_reply_continues_and_nothing_is_sent_twice() {
    let mut play = Play::new(graph_a());
    play.say("hi", [text("Yes?")]);
    play.say("bye", [calls([note("Done."), go("__end__")])]);
    play.is(Ended, "a");
    assert_eq!(play.sent(), ["Yes?", "Done."]);
    assert_eq!(
        play.results(),
        [
            json!("bye"),
            json!({"status": "sent", "message_id": "m"}),
            json!({"next_node": "__end__", "reason": "it fits"})
        ]
    );
    assert_eq!(play.state.phase.end_reason(), Some("reached_end"));
    assert_eq!(play.count("interrupt.resolved"), 1);
    assert_eq!(play.timer, None);
    assert_eq!(&play.names()[play.names().len() - 2..], ["execution.status", "turn.finished"]);
}

#[test]
fn s05_execution_keeps_its_pinned_graph() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("b")]), text("q?")]);
    // The edited graph has no b; a new execution uses it, this one keeps its own.
    play.say("y", [text("?")]);
    play.is(Paused, "b");
    let mut newer = Play::new(graph_a());
    newer.say("y", [calls([go("b")]), text("?")]);
    newer.is(Paused, "a");
}

#[test]
fn s06_a_payload_is_marked_as_system_data() {
    let mut play = Play::new(graph_a());
    play.feed(&[engine::Input::Data { id: "p".into(), value: json!({"order": 1}) }]);
    play.answer([calls([note("Order 1"), go("end")])]);
    play.is(Ended, "a");
    assert_eq!(play.user_messages(), ["[system data]\n{\"order\":1}"]);
    assert_eq!(play.sent(), ["Order 1"]);
    assert_eq!(play.state.last_input, None);
}

#[test]
fn s08_calls_of_one_answer_run_in_order() {
    let mut play = Play::new(graph_a());
    play.say("x", [text_and("0", [note("1"), note("2"), wait()])]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["0", "1", "2"]);
    assert_eq!(play.requests.len(), 1);
}

#[test]
fn the_text_of_an_answer_leaves_before_its_calls_run_and_each_send_is_awaited_by_its_call() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("first", [note("second"), metadata()]));
    play.feed(&[input]);
    assert_eq!(play.sent(), ["first", "second"]);
    assert!(
        matches!(play.state.phase.pending(), Some(Pending::SendsOf { call }) if call.name == "send_notification_to_user")
    );
    assert_eq!(play.results(), Vec::<serde_json::Value>::new());
    play.answer([text("done")]);
    assert_eq!(play.results().len(), 2);
    play.is(Paused, "a");
}

#[test]
fn s09_calls_after_a_wait_run_after_the_reply() {
    let mut play = Play::new(graph_a());
    play.say("x", [text_and("1?", [wait(), note("2")])]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["1?"]);
    play.say("r", [text("4?")]);
    assert_eq!(play.results(), [json!("r"), json!({"status": "sent", "message_id": "m"})]);
    assert_eq!(play.sent(), ["1?", "2", "4?"]);
    assert_eq!(play.user_messages(), ["x", "r"]);
}

#[test]
fn s10_waiting_without_a_message_sends_nothing() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([wait()])]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), Vec::<&str>::new());
    play.say("more", [text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.requests.len(), 2);
}

#[test]
fn s25_text_without_call_is_sent_and_waits_for_the_reply() {
    let mut play = Play::new(graph_a());
    play.say("x", [text("Hello, what?")]);
    assert_eq!(
        play.state.phase.interrupt().and_then(|rest| rest.call.as_ref()).map(|call| call.name.as_str()),
        Some("WaitForUser")
    );
    play.say("y", [text_and("Ok", [go("END")])]);
    play.is(Ended, "a");
    assert_eq!(play.sent(), ["Hello, what?", "Ok"]);
}

#[test]
fn s30_notifications_are_limited_and_a_waiting_question_passes() {
    let mut play = Play::new(graph_a());
    let many = (0..12).map(|n| note(&n.to_string())).chain([call("WaitForUser", json!(null))]);
    play.say("x", [text_and("first", many)]);
    play.is(Paused, "a");
    assert_eq!(play.sent().len(), 10);
    let refused = play.results().iter().filter(|result| result["code"] == "send_limit").count();
    assert_eq!(refused, 3);
    play.say("y", [text("a new turn, a new allowance")]);
    assert_eq!(play.sent().len(), 11);
}

#[test]
fn texts_with_calls_are_limited_and_the_model_is_informed() {
    let mut play = Play::new(graph_a());
    let chatter = (0..12).map(|n| text_and(&n.to_string(), [metadata()]));
    play.say("x", chatter.chain([text("the question?")]));
    play.is(Paused, "a");
    assert_eq!(play.sent().len(), 11);
    assert_eq!(play.sent().last(), Some(&"the question?"));
    assert_eq!(play.user_messages().iter().filter(|text| text.contains("send_limit")).count(), 2);
}

#[test]
fn a_long_text_is_cut_at_the_ends_of_paragraphs() {
    let mut play = Play::new(graph_a());
    let paragraph = "é".repeat(3_000);
    play.say("x", [text(&format!("{paragraph}\n\n{paragraph}"))]);
    assert_eq!(play.sent(), [&paragraph, &paragraph]);
    play.say("y", [text(&"x".repeat(100_000))]);
    assert_eq!(play.sent().len(), 2 + limits::PIECES);
}

#[test]
fn empty_message_is_shown_to_the_model_as_empty() {
    let mut play = Play::new(graph_a());
    play.say(" ", [text("?")]);
    play.outside("  ");
    play.say("", [text("?")]);
    assert_eq!(play.user_messages(), ["(empty message)", "(empty message)"]);
}

#[test]
fn unknown_tool_is_answered_with_the_available_ones() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([call("functions.send message!", json!({"a": 1}))]), text("?")]);
    let result = &play.results()[0];
    assert_eq!(result["code"], "unknown_tool");
    assert_eq!(
        result["available_tools"],
        json!([
            "send_notification_to_user",
            "send_media_message",
            "MoveToNextNode",
            "WaitForUser",
            "get_execution_metadata"
        ])
    );
}

#[test]
fn metadata_names_the_run_and_the_person() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([metadata()]), text("?")]);
    let result = &play.results()[0];
    assert_eq!(result["contact_information"], json!({"phone_number": "+5511961234567", "profile_name": "Ann"}));
    assert_eq!(result["agent_execution_id"], json!(play.state.facts.execution_id));
}
