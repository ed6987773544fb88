//! Moves between nodes: S03, S04, S07, S11, S12.

use crate::{
    graphs::{graph_a, graph_b},
    play::{Play, call, calls, go, note, text, text_and},
};
use domain::{
    chat::ChatMessage,
    execution::ExecutionStatus::{Ended, Failed, Paused},
};
use serde_json::{Value, json};

fn step_prompts(play: &Play, node: &str) -> usize {
    let prompt = format!("# Step: {node}\n");
    play.history
        .iter()
        .filter(|(_, message)| matches!(message, ChatMessage::Tool { content, .. } if content.starts_with(&prompt)))
        .count()
}

#[test]
fn s03_a_move_enters_the_next_node_and_shows_its_prompt() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("b")]), text("q?")]);
    play.is(Paused, "b");
    assert_eq!(play.entered(), ["a", "b"]);
    assert_eq!(play.results(), [json!({"next_node": "b", "reason": "it fits"})]);
    assert!(
        play.requests[1].messages.iter().any(
            |message| matches!(message, ChatMessage::Tool { content, .. } if content.contains("Instructions of b."))
        )
    );
}

#[test]
fn s04_returning_shows_the_prompt_again_and_staying_does_not() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("b")]), text("q?")]);
    play.say("y", [calls([go("a")]), text("z?")]);
    play.is(Paused, "a");
    assert_eq!(step_prompts(&play, "a"), 2);
    play.say("z", [text("?")]);
    assert_eq!(step_prompts(&play, "a"), 2);
}

#[test]
fn s07_only_what_the_node_offers_can_be_moved_to() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("c")]), calls([go("zzz")]), text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.entered(), ["a"]);
    let refused = json!({"next_node": "NOT_FOUND", "reason": "it fits", "available_nodes": ["b", "use_g__at__a"]});
    assert_eq!(play.results(), [refused.clone(), refused]);
    assert_eq!(play.requests.len(), 3);
}

#[test]
fn the_end_is_only_where_an_edge_leads_to_it() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("end")]), calls([go("b")]), calls([go("end")])]);
    play.is(Ended, "b");
    assert_eq!(play.results()[0]["next_node"], "NOT_FOUND");
}

#[test]
fn s11_a_global_node_is_visited_and_left_to_where_it_was_entered_from() {
    let mut play = Play::new(graph_b());
    play.say("help", [calls([go("use_g__at__a")]), text("topic?")]);
    play.is(Paused, "g");
    assert_eq!(play.state.visit.triggering_node.as_deref(), Some("a"));
    let entered: Vec<&Value> =
        play.events.iter().filter(|event| event.name == "node.entered").map(|event| &event.data).collect();
    assert_eq!((&entered[1]["global"], &entered[1]["triggering_node"]), (&json!(true), &json!("a")));
    play.say("t", [calls([go("a")]), text("back?")]);
    play.is(Paused, "a");
    assert_eq!(play.state.visit.triggering_node, None);
    assert_eq!(step_prompts(&play, "a"), 2);
}

#[test]
fn s12_a_bare_name_reaches_the_global_node_and_its_visit_offers_no_other_way() {
    let mut play = Play::new(graph_b());
    play.say("help", [calls([go("g")]), calls([go("b")]), calls([go("use_g__at__g")]), calls([go("a")]), text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.entered(), ["a", "g", "a"]);
    assert_eq!(play.results()[1]["available_nodes"], json!(["a"]));
    assert_eq!(play.results()[2]["next_node"], "NOT_FOUND");
}

#[test]
fn calls_after_a_move_are_answered_and_not_run() {
    let mut play = Play::new(graph_b());
    play.say("x", [calls([go("b"), note("never"), go("a")]), text("?")]);
    play.is(Paused, "b");
    let skipped = json!({"error": "skipped: routed away"});
    assert_eq!(play.results()[1..], [skipped.clone(), skipped]);
    assert_eq!(play.sent(), ["?"]);
}

#[test]
fn a_move_with_wrong_arguments_is_refused_and_one_written_as_text_is_understood() {
    let mut play = Play::new(graph_b());
    let script = [
        calls([call("MoveToNextNode", json!({"next_node": "b"}))]),
        calls([call("MoveToNextNode", json!("{\"next_node\": \"b\""))]),
        calls([call("MoveToNextNode", json!(["b"]))]),
        calls([call("MoveToNextNode", json!("{\"next_node\": \" b \", \"reason\": 1}"))]),
        text("?"),
    ];
    play.say("x", script);
    play.is(Paused, "b");
    assert_eq!(play.results().iter().filter(|result| result["code"] == "invalid_arguments").count(), 3);
}

#[test]
fn goodbye_is_sent_before_the_execution_ends() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text_and("Bye!", [go("__end__")]));
    play.feed(&[input]);
    assert_eq!(play.state.phase.pending(), Some(&engine::Pending::AllSends));
    play.answer([]);
    play.is(Ended, "a");
    assert_eq!(play.count("tool.called"), 1, "a call that waited is announced once");
}

#[test]
fn message_during_the_goodbye_is_read_before_the_end() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(calls([note("Bye!"), go("__end__")]));
    play.feed(&[input]);
    play.hears("one more thing");
    play.answer([text("Yes?")]);
    play.is(Paused, "a");
    assert_eq!(play.results()[1]["code"], "new_message");
    assert_eq!(play.user_messages(), ["x", "one more thing"]);
}

#[test]
fn failed_goodbye_is_reported_to_the_model() {
    let mut play = Play::new(graph_a());
    play.send_outcomes = vec![crate::play::refused("send_failed")];
    play.say("x", [text_and("Bye!", [go("__end__")]), text_and("Bye again!", [go("__end__")])]);
    play.is(Ended, "a");
    assert_eq!(play.results()[0]["code"], "send_failed");
    play = Play::new(graph_a());
    play.send_outcomes = vec![crate::play::refused("send_failed"); 3];
    play.say("x", (0..3).map(|_| text_and("Bye!", [go("__end__")])));
    play.is(Failed, "a");
}
