//! A write that the model repeats in a turn runs once (docs/spec/engine.md 3.4).

use crate::{
    graphs::graph_webhook,
    play::{Play, call, calls, facts, text},
};
use domain::{chat::ToolCall, tool_request::ToolAnswer};
use engine::{Compiled, Facts};
use serde_json::{Value, json};

fn shop(method: &str) -> Compiled {
    let schema = json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "colour": {"type": "string"}}});
    graph_webhook(&json!({"url": "https://shop.example/x", "http_method": method, "body_schema": schema}))
}

fn order(arguments: Value) -> ToolCall {
    call("w_request", arguments)
}

fn answers(statuses: &[u16]) -> Vec<ToolAnswer> {
    let answer =
        |status: &u16| ToolAnswer::Answered { status: *status, content: json!({"order": 7}), truncated: false };
    statuses.iter().map(answer).collect()
}

#[test]
fn two_equal_calls_are_one_request_and_share_the_result() {
    let (one, same) = (json!({"size": 42, "colour": "blue"}), json!({"colour": "blue", "size": "42"}));
    let mut play = Play::new(shop("POST"));
    play.tool_answers = answers(&[200]);
    play.say("x", [calls([order(one.clone()), order(same.clone())]), calls([order(same)]), text("?")]);
    assert_eq!(play.web_requests().len(), 1);
    let results: Vec<Value> = play.results();
    assert_eq!((&results[1], &results[2]), (&results[0], &results[0]));
    assert_eq!(play.last("warning")["code"], "repeated_call");
    // The contact may want it once more.
    play.tool_answers = answers(&[200]);
    play.say("again", [calls([order(one)]), text("?")]);
    assert_eq!(play.web_requests().len(), 2);
}

#[test]
fn reads_failures_and_calls_after_another_write_are_repeated() {
    let (one, two) = (json!({"size": 1}), json!({"size": 2}));
    for (method, statuses, script, requests) in [
        ("GET", &[200, 200][..], vec![&one, &one], 2),
        ("POST", &[500, 200][..], vec![&one, &one], 2),
        ("POST", &[200, 200, 200][..], vec![&one, &two, &one], 3),
        ("PUT", &[200][..], vec![&one, &one], 1),
    ] {
        let mut play = Play::new(shop(method));
        play.tool_answers = answers(statuses);
        let script = script.into_iter().map(|arguments| calls([order(arguments.clone())]));
        play.say("x", script.chain([text("?")]));
        assert_eq!(play.web_requests().len(), requests, "{method} {statuses:?}");
    }
}

#[test]
fn long_result_is_not_kept_but_named() {
    let mut play = Play::new(shop("POST"));
    play.tool_answers =
        vec![ToolAnswer::Answered { status: 200, content: json!("x".repeat(20_000)), truncated: false }];
    let same = || order(json!({"size": 1}));
    play.say("x", [calls([same(), same()]), text("?")]);
    assert_eq!(play.web_requests().len(), 1);
    assert_eq!(play.results()[1]["already_done"], true);
    assert!(serde_json::to_string(&play.state).unwrap().len() < 12_000, "a state stays small");
}

#[test]
fn older_execution_repeats_its_calls() {
    let mut play = Play::with(shop("POST"), Facts { rules: 1, ..facts() });
    play.tool_answers = answers(&[200, 200]);
    let same = || order(json!({"size": 1}));
    play.say("x", [calls([same(), same()]), text("?")]);
    assert_eq!(play.web_requests().len(), 2);
}
