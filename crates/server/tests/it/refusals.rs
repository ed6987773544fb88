//! Each row of the refusal table (docs/spec/engine.md 5.3): what the contact gets, after which
//! time, and with how many calls of the model.

use domain::Span;
use gateways::llm::refusals::TABLE;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{ANA, TestApp, dialects::DIALECTS};

/// Outcome of a refusal for the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gets {
    Answer,
    /// The conversation is listed under those that need a person: its execution failed.
    PersonAfterFailure,
    /// The same, because it is handed off.
    PersonAfterHandoff,
}

/// Class, outcome, calls of the model, seconds at most.
const EXPECTED: &[(&str, Gets, usize, i64)] = &[
    ("pictures", Gets::Answer, 2, 0),
    // Of a request without a picture.
    ("picture_refused", Gets::PersonAfterFailure, 1, 0),
    ("content_filter", Gets::PersonAfterHandoff, 1, 0),
    ("malformed_call", Gets::Answer, 2, 0),
    ("credit_exhausted", Gets::PersonAfterFailure, 1, 0),
    ("quota_per_day", Gets::PersonAfterFailure, 1, 0),
    ("quota_per_minute", Gets::Answer, 2, 3),
    ("wait", Gets::Answer, 2, 2),
    ("context_too_long", Gets::Answer, 2, 0),
    ("request_too_large", Gets::Answer, 2, 0),
    ("answer_limit", Gets::Answer, 2, 0),
    ("stream_options", Gets::Answer, 2, 0),
    ("stream", Gets::Answer, 2, 0),
    ("limit_name", Gets::Answer, 2, 0),
    ("temperature", Gets::Answer, 2, 0),
    ("effort", Gets::Answer, 2, 0),
    ("parts_missing", Gets::Answer, 2, 0),
    ("parts_refused", Gets::Answer, 2, 0),
    ("system_role", Gets::Answer, 2, 0),
    ("role_order", Gets::Answer, 2, 0),
    ("history", Gets::Answer, 2, 0),
    ("tool_refused", Gets::Answer, 2, 0),
    ("broken_server", Gets::Answer, 2, 1),
    ("key_refused", Gets::PersonAfterFailure, 1, 0),
    ("model_unknown", Gets::PersonAfterFailure, 1, 0),
];

/// An agent with one webhook, whose tool is `crm_request`.
fn agent(limits: &Value) -> Value {
    let webhook = json!({"name": "crm", "url": "https://crm.example/x", "http_method": "POST"});
    let mut agent = json!({"name": "Shop", "agent_version": 2, "graph": {
        "nodes": [{"name": "__start__"}, {"name": "shop", "type": "SubagentNode", "prompt": "Help.", "subagent": {"webhooks": [webhook]}},
            {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "__end__", "label": "done"}]}});
    agent["limits"] = limits.clone();
    agent
}

/// Lets the contact write, moves the clock until there is an outcome, and returns it with the
/// seconds that passed.
async fn outcome(app: &TestApp, agent: &str, text: &str) -> (Gets, i64) {
    let before = app.received_texts(ANA).await.len();
    app.contact_sends(ANA, text).await;
    for second in 0..120 {
        app.run_until_idle().await;
        if app.received_texts(ANA).await.len() > before {
            return (Gets::Answer, second);
        }
        match app.execution(agent).await["status"].as_str() {
            Some("failed") => return (Gets::PersonAfterFailure, second),
            Some("handoff") => return (Gets::PersonAfterHandoff, second),
            _ => app.forward(Span::from_secs(1)).await,
        }
    }
    panic!("the contact gets no answer, and no person");
}

async fn started(limits: Value) -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(agent(&limits)).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

#[tokio::test]
async fn no_row_of_the_table_ends_in_silence() {
    let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.class).collect();
    let expected: BTreeSet<&str> = EXPECTED.iter().map(|(class, ..)| *class).collect();
    assert_eq!(rows, expected, "each row has an expectation");
    for row in TABLE {
        let (_, gets, calls, most) = EXPECTED.iter().find(|(class, ..)| *class == row.class).unwrap();
        let (app, agent) = started(json!({})).await;
        let (status, body) = row.example;
        let body = body.replace("crm_find", "crm_request");
        app.model().refuses(status, serde_json::from_str(&body).unwrap());
        if *gets == Gets::Answer {
            app.model().says("Good morning.");
        }
        let (got, seconds) = outcome(&app, &agent, "hello there").await;
        eprintln!("{}: {got:?} after {seconds} s, {} calls", row.class, app.model().requests().len());
        assert_eq!(got, *gets, "{}", row.class);
        assert!(seconds <= *most, "{}: {seconds} s", row.class);
        assert_eq!(app.model().requests().len(), *calls, "{}", row.class);
        let id = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
        let events = app.events(id).await;
        let failed: Vec<&Value> =
            events.iter().filter(|event| event.name == "llm.failed").map(|event| &event.data["class"]).collect();
        assert_eq!(failed, [row.class]);
        let metrics = app.metrics().await;
        let counted = format!("chasqui_llm_refusals_total{{class=\"{}\"}}", row.class);
        assert!(metrics.contains(&counted), "{counted}");
    }
}

#[tokio::test]
async fn contact_gets_the_sentence_of_the_agent_where_the_model_gives_up() {
    let sentence = "One moment, a colleague will write to you.";
    let (app, agent) = started(json!({"failure_message": sentence})).await;
    app.model().refuses(418, json!({"error": {"message": "I am a teapot"}}));
    assert_eq!(outcome(&app, &agent, "hello").await, (Gets::Answer, 0));
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), sentence);
    let execution = app.execution(&agent).await;
    assert_eq!((&execution["status"], &execution["error"]["code"]), (&json!("failed"), &json!("llm_unavailable")));
}

#[tokio::test]
async fn filtered_text_is_left_out_of_later_requests() {
    let (app, agent) = started(json!({"failure_message": "I cannot answer that."})).await;
    let row = TABLE.iter().find(|row| row.class == "content_filter").unwrap();
    app.model().refuses(row.example.0, serde_json::from_str(row.example.1).unwrap());
    assert_eq!(outcome(&app, &agent, "something bad").await, (Gets::Answer, 0));
    app.model().says("Hello!");
    outcome(&app, &agent, "good morning").await;
    let last = app.model().requests().last().unwrap().to_string();
    assert!(!last.contains("something bad") && last.contains("good morning"), "{last}");
}

#[tokio::test]
async fn refused_form_is_remembered_and_a_refused_tool_stays_away() {
    let (app, agent) = started(json!({})).await;
    let example = |class: &str| TABLE.iter().find(|row| row.class == class).unwrap().example;
    let (status, body) = example("limit_name");
    app.model().refuses(status, serde_json::from_str(body).unwrap());
    let (status, body) = example("tool_refused");
    app.model().refuses(status, serde_json::from_str(&body.replace("crm_find", "crm_request")).unwrap());
    app.model().says("Hello!");
    outcome(&app, &agent, "hi").await;
    app.model().says("And again.");
    outcome(&app, &agent, "hi again").await;
    let requests = app.model().requests();
    let tools = |request: &Value| request["tools"].to_string().contains("crm_request");
    assert_eq!(requests.iter().map(tools).collect::<Vec<_>>(), [true, true, false, false]);
    let newer: Vec<bool> = requests.iter().map(|request| request.get("max_completion_tokens").is_some()).collect();
    assert_eq!(newer, [false, true, true, true]);
}

#[tokio::test]
async fn cut_stream_is_asked_again_and_the_contact_gets_one_answer() {
    for name in ["OpenAI", "Anthropic", "Gemini", "Mistral"] {
        let dialect = DIALECTS.iter().find(|dialect| dialect.name == name).unwrap();
        let app = TestApp::speaking(dialect, |_| {}).await;
        let agent = app.agent(agent(&json!({}))).await;
        app.activate(ANA, &agent).await;
        app.model().breaks_off("Good morning, this is half of an answer.");
        app.model().says("Good morning.");
        let (got, seconds) = outcome(&app, &agent, "hello there").await;
        assert_eq!((got, seconds <= 1), (Gets::Answer, true), "{name}: {seconds} s");
        assert_eq!((app.received_texts(ANA).await, app.model().requests().len()), (vec!["Good morning.".into()], 2));
        let id = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
        let events = app.events(id).await;
        let failed = events.iter().find(|event| event.name == "llm.failed").unwrap();
        assert_eq!(failed.data["class"], "broken_server", "{name}");
        assert!(app.metrics().await.contains("chasqui_llm_first_token_seconds_count"), "{name}");
    }
}
