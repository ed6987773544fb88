//! The contact context in prompts and in `{{contact.…}}` and `{{vars.…}}`, also after a change
//! (docs/spec/engine.md 2.6).

use crate::{
    graphs::{agent, content_a, graph_a, v1},
    play::{Play, calls, metadata, text},
};
use domain::Timestamp;
use engine::{About, AgentContent, Compiled, Contact, Input, Note, Zone};
use serde_json::{Value, json};

fn known(version: i64, city: &str) -> Contact {
    let note =
        Note { name: "VIP".into(), content: "Pays late".into(), created_at: Timestamp::from_secs(1_748_873_109) };
    let metadata = json!({"city": city}).as_object().cloned().unwrap();
    Contact {
        profile_name: Some("Ann B.".into()),
        about: About { metadata, notes: vec![note], broadcast: None },
        zone: Some(Zone { name: "America/Bogota".into(), minutes: -300 }),
        version,
    }
}

fn said(text: &str) -> Input {
    Input::Message { id: text.into(), text: text.into(), picture: None }
}

#[test]
fn prompt_shows_the_latest_contact_context_and_local_time() {
    let mut play = Play::new(graph_a());
    play.feed(&[Input::Contact(known(1, "Lima")), said("x")]);
    play.answer([text("?")]);
    let system = &play.requests[0].system;
    for wanted in [
        "Name: Ann B.",
        "city: Lima",
        "Note: VIP: Pays late (added 2025-06-02)",
        "Now: Monday, 2 June 2025, 09:05 (America/Bogota)",
    ] {
        assert!(system.contains(wanted), "{wanted:?} is not in {system}");
    }
    play.feed(&[Input::Contact(known(2, "Cusco")), said("y")]);
    assert!(play.requests[1].system.contains("city: Cusco"));
    play.answer([calls([metadata()]), text("?")]);
    let told = play.results().into_iter().find(|result| result["contact_information"].is_object()).unwrap();
    assert_eq!(told["contact_information"]["metadata"], json!({"city": "Cusco"}));
    assert_eq!(told["contact_information"]["profile_name"], "Ann B.");
}

#[test]
fn contact_variables_use_the_latest_contact_context() {
    let nodes = [json!({"name": "a", "prompt": "Hi {{contact.profile_name}} of {{contact.metadata.city}}"})];
    let mut play = Play::new(agent(&nodes, &[("__start__", "a", ""), ("a", "__end__", "done")]));
    play.feed(&[Input::Contact(known(1, "Lima")), said("x")]);
    assert!(play.requests[0].messages.iter().any(|message| format!("{message:?}").contains("Hi Ann B. of Lima")));
    assert_eq!(play.count("warning"), 0);
}

#[test]
fn unknown_variable_in_general_instructions_is_reported_once() {
    let content = AgentContent { system_prompt: Some("{{contact.x}} {{contact.profile_name}}".into()), ..content_a() };
    let mut play = Play::new(Compiled::new(&content).unwrap());
    play.say("x", [text("?")]);
    play.say("y", [text("?")]);
    assert_eq!((play.count("warning"), &play.last("warning")["path"]), (1, &json!("contact.x")));
}

#[test]
fn first_payload_may_set_the_origin_of_a_request() {
    let mut play =
        Play::new(crate::graphs::graph_webhook(&json!({"url": "{{vars.base}}/orders", "http_method": "GET"})));
    play.data(json!({"base": "https://shop.example"}), []);
    play.tool_answers =
        vec![domain::tool_request::ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.answer([calls([crate::play::call("w_request", json!({}))]), text("?")]);
    assert_eq!(play.web_requests()[0].url, "https://shop.example/orders");
}

#[test]
fn first_payload_fills_vars_and_later_ones_do_not() {
    let nodes = [
        json!({"name": "a", "prompt": "Order {{vars.order}} for {{vars.who.name}}"}),
        json!({"name": "b", "prompt": "Still order {{vars.order}}"}),
    ];
    let agent = |version| {
        let edges = [("__start__", "a", ""), ("a", "b", "on"), ("b", "__end__", "done")];
        let content = crate::graphs::content(None, &nodes, &edges);
        if version == 1 { v1(content) } else { Compiled::new(&content).unwrap() }
    };
    let shown = |play: &Play| format!("{:?}", play.requests.last().unwrap().messages);
    for version in [1, 2] {
        let mut play = Play::new(agent(version));
        let long = "x".repeat(2_000);
        play.data(json!({"order": 7, "who": {"name": "Bo"}, "long": long}), []);
        assert!(shown(&play).contains("Order 7 for Bo"), "{}", shown(&play));
        assert_eq!(play.state.vars.get("long"), None, "what is long is not carried in every state");
        play.answer([text("?")].into_iter().filter(|_| version == 2));
        play.data(json!({"order": 8}), [calls([crate::play::go("b")])].into_iter().filter(|_| version == 2));
        assert_eq!(play.state.vars.get("order"), Some(&Value::from(7)));
    }
}
