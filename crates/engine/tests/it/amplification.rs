//! Filled variables are bounded while they are filled: docs/spec/engine.md 1.7.

use crate::{
    graphs::{agent, graph_webhook},
    play::{Play, call, calls, facts, text},
};
use domain::{
    chat::ChatMessage,
    limits::{LABELS_BYTES, PROMPT_BYTES, REQUEST_SECRETS, REQUEST_VARIABLES},
};
use engine::{Compiled, Facts};
use serde_json::{Value, json};

/// A variable of the largest size.
fn with_variable() -> Facts {
    Facts { vars: json!({"v": "x".repeat(1_000)}).as_object().unwrap().clone(), ..facts() }
}

fn step_prompt(agent: Compiled) -> (String, Play) {
    let mut play = Play::with(agent, with_variable());
    play.say("x", [text("?")]);
    let prompt = play.history.iter().find_map(|(_, message)| match message {
        ChatMessage::Tool { content, .. } if content.starts_with("# Step") => Some(content.clone()),
        _ => None,
    });
    (prompt.unwrap(), play)
}

fn warned(play: &Play, code: &str) -> bool {
    play.events.iter().any(|event| event.name == "warning" && event.data["code"] == code)
}

#[test]
fn filled_prompt_is_truncated_reported_and_keeps_the_builders_text() {
    let prompt = format!("First rule. {} Last rule.", "{{vars.v}}".repeat(6_000));
    let node = json!({"name": "a", "prompt": prompt});
    let (shown, play) = step_prompt(agent(&[node], &[("__start__", "a", ""), ("a", "__end__", "")]));
    assert!(shown.len() < PROMPT_BYTES + 1_000, "{}", shown.len());
    assert!(shown.contains("First rule. xxx") && shown.contains("xxx[truncated] Last rule."));
    assert!(warned(&play, "prompt_truncated"));
}

#[test]
fn filled_labels_are_bounded_in_total_and_every_next_step_is_named() {
    let names: Vec<String> = (0..50).map(|n| format!("n{n}")).collect();
    let mut nodes = vec![json!({"name": "a", "prompt": "Help."})];
    nodes.extend(names.iter().map(|name| json!({"name": name, "prompt": "Help."})));
    let label = "{{vars.v}}".repeat(200);
    let mut edges = vec![("__start__", "a", "")];
    edges.extend(names.iter().flat_map(|name| [("a", name.as_str(), label.as_str()), (name.as_str(), "__end__", "")]));
    let (shown, play) = step_prompt(agent(&nodes, &edges));
    assert!(shown.len() < LABELS_BYTES + 10_000, "{}", shown.len());
    assert!(names.iter().all(|name| shown.contains(&format!("\n- {name}: "))));
    assert!(warned(&play, "prompt_truncated"));
}

#[test]
fn metadata_beyond_the_limit_is_cut_in_the_system_prompt() {
    let mut facts = facts();
    facts.about.metadata = json!({"story": "<".repeat(200_000)}).as_object().unwrap().clone();
    let agent = agent(&[json!({"name": "a", "prompt": "Help."})], &[("__start__", "a", ""), ("a", "__end__", "")]);
    let mut play = Play::with(agent, facts);
    play.say("x", [text("?")]);
    let system = &play.requests[0].system;
    assert!(system.len() < PROMPT_BYTES + 20_000, "{}", system.len());
    assert!(system.contains("[truncated]\n</contact>"));
    assert!(warned(&play, "prompt_truncated"));
}

#[test]
fn compiled_agent_counts_what_compiling_adds() {
    let condition = "x".repeat(1_000);
    let mut nodes: Vec<Value> = (0..100).map(|n| json!({"name": format!("n{n}"), "prompt": "Help."})).collect();
    nodes.extend(
        (0..100).map(
            |n| json!({"name": format!("g{n}"), "prompt": "Help.", "global": true, "global_condition": condition}),
        ),
    );
    let names: Vec<String> = (0..100).map(|n| format!("n{n}")).collect();
    let mut edges = vec![("__start__", "n0", "")];
    edges.extend(names.iter().map(|name| (name.as_str(), "__end__", "done")));
    let agent = agent(&nodes, &edges);
    // Each of 100 nodes leads to 100 others; their conditions exist once.
    assert!((1_000_000..20_000_000).contains(&agent.added_bytes()), "{}", agent.added_bytes());
    let [one, other] = ["n0", "n1"].map(|name| agent.targets(name, None));
    let condition =
        |targets: &[engine::Target]| targets.iter().find(|target| target.global).unwrap().condition.clone().unwrap();
    assert!(std::ptr::eq(condition(&one).as_ptr(), condition(&other).as_ptr()));
}

fn result_of(webhook: &Value, arguments: Value) -> Value {
    let mut play = Play::with(graph_webhook(webhook), with_variable());
    play.tool_answers = vec![];
    play.say("x", [calls([call("w_request", arguments)]), text("?")]);
    assert!(play.web_requests().is_empty(), "nothing may be sent");
    play.results()[0].clone()
}

#[test]
fn request_that_grows_beyond_its_limit_is_refused() {
    let webhook = |body: Value| json!({"url": "https://shop.example/x", "http_method": "POST", "body": body});
    let by_model = webhook(json!({"note": "#{a}".repeat(2_000)}));
    assert_eq!(result_of(&by_model, json!({"a": "y".repeat(1_000)}))["code"], "request_too_large");
    let bodies = [
        json!({"note": "{{vars.v}}".repeat(2_000)}),
        json!(vec!["{{vars.v}}"; 2_000]),
        json!((0..=REQUEST_SECRETS).map(|n| format!("{{{{secrets.k{n}}}}}")).collect::<Vec<_>>()),
    ];
    for body in bodies {
        let result = result_of(&webhook(body), json!({}));
        assert_eq!(result["code"], "request_too_large", "{result}");
    }
    let variables = webhook(json!(vec!["#{a}"; REQUEST_VARIABLES + 1]));
    assert_eq!(result_of(&variables, json!({"a": ""}))["code"], "request_too_large");
    let in_url = json!({"url": format!("https://shop.example/x?q={}", "{{vars.v}}".repeat(2_000))});
    assert_eq!(result_of(&in_url, json!({}))["code"], "request_too_large");
}
