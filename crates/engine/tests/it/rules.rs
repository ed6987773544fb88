//! Rules of new executions (`Facts::rules`), and of executions without a contact. Executions that
//! began under older rules keep them: their journals replay.

use crate::{
    graphs::{agent, content_a, graph_a, graph_webhook, v1},
    play::{Play, call, calls, facts, go, note, text},
};
use domain::{
    chat::ModelChoice,
    execution::ExecutionStatus::{Handoff, Paused},
    tool_request::ToolAnswer,
};
use engine::{Compiled, Facts, Input, InterruptKind};
use serde_json::{Value, json};

fn answered(content: Value) -> ToolAnswer {
    ToolAnswer::Answered { status: 200, content, truncated: false }
}

fn search() -> Compiled {
    let schema = json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "colour": {"type": "string"}, "tags": {"type": "array"}}});
    graph_webhook(
        &json!({"url": "https://shop.example/search?shop=1#top", "http_method": "GET", "body_schema": schema}),
    )
}

fn search_call() -> [domain::chat::ToolCall; 1] {
    [call("w_request", json!({"size": 42, "colour": "dark blue", "tags": ["a"]}))]
}

#[test]
fn get_request_has_no_body_and_its_arguments_are_in_the_query() {
    let mut play = Play::with(search(), facts());
    play.tool_answers = vec![answered(json!({}))];
    play.say("x", [calls(search_call()), text("?")]);
    let [request] = play.web_requests()[..] else { panic!("one request") };
    assert_eq!(request.body, None);
    let url = "https://shop.example/search?shop=1&size=42&colour=dark%20blue&tags=%5B%22a%22%5D#top";
    assert_eq!(request.url, url);
}

#[test]
fn older_execution_keeps_its_requests_and_events() {
    let mut play = Play::with(search(), Facts { rules: 0, ..facts() });
    play.tool_answers = vec![answered(json!({}))];
    play.say("x", [calls(search_call()), text("?")]);
    let [request] = play.web_requests()[..] else { panic!("one request") };
    assert!(request.body.is_some() && request.url.ends_with("/search?shop=1#top"), "{request:?}");
    assert_eq!(play.last("tool.result").get("result"), None);
    let stored = serde_json::to_value(&play.state).unwrap();
    for field in ["rules", "without_channel", "model"] {
        assert_eq!(stored["facts"].get(field), None, "{field}");
    }
}

#[test]
fn events_hold_results_and_the_ids_that_calls_run_under() {
    let mut play = Play::with(graph_webhook(&json!({"url": "https://shop.example/x"})), facts());
    play.tool_answers = vec![answered(json!({"price": 3}))];
    play.say("x", [calls([call("w_request", json!({}))]), text("?")]);
    let data = |name: &str| &play.events.iter().find(|event| event.name == name).unwrap().data;
    let id = &data("tool.called")["call_id"];
    assert_eq!(&data("llm.responded")["tool_calls"][0]["id"], id);
    assert_eq!((&data("tool.result")["call_id"], &data("tool.result")["result"]["content"]["price"]), (id, &json!(3)));
}

#[test]
fn long_result_is_cut_in_its_event_only() {
    let mut play = Play::with(graph_webhook(&json!({"url": "https://shop.example/x"})), facts());
    play.tool_answers = vec![answered(json!("é".repeat(10_000)))];
    play.say("x", [calls([call("w_request", json!({}))]), text("?")]);
    let result = play.events.iter().find(|event| event.name == "tool.result").unwrap().data.clone();
    let shown = result["result"].as_str().unwrap();
    assert!(shown.len() <= 8_192 && shown.len() > 8_000 && result["truncated"] == true, "{}", shown.len());
    assert!(play.results()[0]["content"].as_str().unwrap().len() == 20_000);
}

#[test]
fn requests_name_the_model_of_the_agent_or_of_the_server() {
    let model = Some(ModelChoice { provider: "Rehearsal".into(), model: "built-in".into() });
    let named = |config: Value| {
        let llm_config = config.as_object().cloned();
        let agent = Compiled::new(&engine::AgentContent { llm_config, ..content_a() }).unwrap();
        let mut play = Play::with(agent, Facts { model: model.clone(), ..facts() });
        play.say("x", [text("?")]);
        play.last("llm.requested")["model"].clone()
    };
    assert_eq!(named(json!({})), "built-in");
    assert_eq!(named(json!({"provider_name": "rehearsal"})), "built-in");
    assert_eq!(named(json!({"provider_name": "OpenAI", "provider_model_name": "gpt-4.1"})), "gpt-4.1");
    assert_eq!(named(json!({"provider_name": "OpenAI"})), Value::Null, "the engine does not know its default");
}

fn with_sentence() -> Compiled {
    let handoff = json!({"message": "One moment, {{contact.profile_name}}.", "messages": {"es": "Un momento."}});
    agent(
        &[json!({"name": "a", "prompt": "Help."}), json!({"name": "h", "type": "HandoffNode", "handoff": handoff})],
        &[("__start__", "a", ""), ("a", "h", "wants a person"), ("a", "__end__", "done")],
    )
}

#[test]
fn handoff_tells_the_contact_once_and_waits() {
    let mut play = Play::with(with_sentence(), facts());
    play.say("x", [calls([go("h")])]);
    play.is(Handoff, "h");
    assert_eq!(play.sent(), ["One moment, Ann."]);
    play.say("hello?", []);
    play.resume(None, [calls([go("h")])]);
    play.is(Handoff, "h");
    assert_eq!(play.sent().len(), 2, "once for each handoff");
}

#[test]
fn handoff_speaks_the_language_of_the_contact() {
    let mut known = facts();
    known.about.metadata = json!({"language": "es-MX"}).as_object().cloned().unwrap();
    let mut play = Play::with(with_sentence(), known);
    play.say("x", [calls([go("h")])]);
    assert_eq!(play.sent(), ["Un momento."]);
    let mut play = Play::with(with_sentence(), Facts { phone_number: Some("+5215512345678".into()), ..facts() });
    play.say("x", [calls([go("h")])]);
    assert_eq!(play.sent(), ["Un momento."], "the country decides if nothing else is known");
}

#[test]
fn handoff_waits_although_its_sentence_was_not_delivered() {
    let mut play = Play::with(with_sentence(), facts());
    play.send_outcomes = vec![crate::play::refused("outside_service_window")];
    play.say("x", [calls([go("h")])]);
    play.is(Handoff, "h");
}

#[test]
fn execution_without_a_contact_waits_and_keeps_its_texts_in_events() {
    let mut play = Play::with(graph_a(), Facts { without_channel: true, phone_number: None, ..facts() });
    play.say("x", [text("What size?")]);
    play.is(Paused, "a");
    assert_eq!(play.contents().len(), 0, "nothing leaves");
    assert_eq!(play.last("message.sent"), &json!({"kind": "text", "text": "What size?", "channel": false}));
    let mut play = Play::with(v1(content_a()), Facts { without_channel: true, ..facts() });
    play.say("x", [calls([note("Done."), call("AskUserForInput", json!({"message": "More?"}))])]);
    play.is(Paused, "a");
    assert_eq!(play.results()[1], json!({"status": "sent"}));
    assert_eq!(play.state.phase.interrupt().map(|interrupt| interrupt.kind), Some(InterruptKind::Ask));
}

#[test]
fn execution_without_a_contact_sends_no_template() {
    let settings = json!({"template_name": "t", "wait_for_response": true});
    let agent = agent(
        &[json!({"name": "w", "type": "WhatsappTemplateNode", "whatsapp_template": settings})],
        &[("__start__", "w", ""), ("w", "__end__", "done")],
    );
    let mut play = Play::with(agent, Facts { without_channel: true, ..facts() });
    let arguments = json!({"template_name": "t", "phone_number": "", "template_parameters": {}});
    play.feed(&[Input::Message { id: "m".into(), text: "x".into(), picture: None }]);
    play.answer([calls([call("SendWhatsappTemplateMessage", arguments)]), text("?")]);
    assert_eq!(play.results()[0]["code"], "no_channel");
}
