//! Agent settings: model, limits and optional tools are stored, returned, pinned and applied.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

async fn graph_of(app: &TestApp, agent: &str) -> Value {
    app.get(&format!("/api/v1/agents/{agent}/graph")).await.data().clone()
}

async fn end(app: &TestApp, agent: &str) {
    let id = app.execution(agent).await["id"].as_str().unwrap().to_owned();
    let body = json!({"agent_execution": {"status": "ended"}});
    assert!(app.call(Method::PUT, &format!("/api/v1/agents/{agent}/executions/{id}"), Some(body)).await.status < 300);
    app.run_until_idle().await;
}

async fn update(app: &TestApp, agent: &str, change: Value) -> Answer {
    app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": change})).await
}

fn settings() -> Value {
    json!({
        "llm_config": {"provider_model_name": "large", "temperature": 0.7, "max_tokens": 300, "reasoning_effort": "low",
            "fallbacks": [{"provider_model_name": "small"}]},
        "limits": {"messages": 2, "max_steps": 5, "token_budget": 5000, "over_budget": "handoff"},
        "enabled_tools": ["webhook_request"],
    })
}

#[tokio::test]
async fn settings_round_trip_and_null_restores_the_default() {
    let app = TestApp::start().await;
    let mut agent = settings();
    agent["name"] = json!("Desk");
    let id = app.agent(agent).await;
    let shown = graph_of(&app, &id).await;
    for field in ["llm_config", "limits", "enabled_tools"] {
        assert_eq!(shown[field], settings()[field], "{field}");
    }
    // Omitted settings stay; a given one is replaced as a whole.
    assert_eq!(update(&app, &id, json!({"limits": {"messages": 3}})).await.status, 200);
    let shown = graph_of(&app, &id).await;
    assert_eq!((&shown["limits"], &shown["llm_config"]), (&json!({"messages": 3}), &settings()["llm_config"]));
    let none = json!({"llm_config": null, "limits": null, "enabled_tools": null});
    assert_eq!(update(&app, &id, none).await.status, 200);
    let shown = graph_of(&app, &id).await;
    assert_eq!(
        (&shown["llm_config"], &shown["limits"], &shown["enabled_tools"], &shown["agent_version"]),
        (&json!(null), &json!(null), &json!([]), &json!(2))
    );
    assert_eq!(shown["webhooks_in_tests"], "request");
    for word in ["mock_only", "request"] {
        assert_eq!(update(&app, &id, json!({"webhooks_in_tests": word})).await.status, 200);
        assert_eq!(graph_of(&app, &id).await["webhooks_in_tests"], word);
    }
}

#[tokio::test]
async fn invalid_settings_are_refused_with_their_path() {
    let app = TestApp::start().await;
    let id = app.agent(json!({"name": "Desk"})).await;
    for (change, path, code) in [
        (json!({"llm_config": {"api_key": "sk-1"}}), "/agent/llm_config/api_key", "unsupported"),
        (json!({"llm_config": {"base_url": "http://10.0.0.1"}}), "/agent/llm_config/base_url", "unsupported"),
        (
            json!({"llm_config": {"fallbacks": [{}, {"api_key": "sk-1"}]}}),
            "/agent/llm_config/fallbacks/1/api_key",
            "unsupported",
        ),
        (json!({"llm_config": {"provider_name": " "}}), "/agent/llm_config/provider_name", ""),
        (json!({"llm_config": {"temperature": 3}}), "/agent/llm_config/temperature", ""),
        (json!({"limits": {"messages": 0}}), "/agent/limits/messages", ""),
        (json!({"limits": {"over_budget": "explode"}}), "/agent/limits/over_budget", ""),
        (json!({"limits": {"phone_reply_pause": "sometimes"}}), "/agent/limits/phone_reply_pause", ""),
        (json!({"limits": {"phone_reply_pause_minutes": 0}}), "/agent/limits/phone_reply_pause_minutes", ""),
        (json!({"limits": {"phone_reply_pause_minutes": 10081}}), "/agent/limits/phone_reply_pause_minutes", ""),
        (json!({"enabled_tools": ["shell"]}), "/agent/enabled_tools/0", ""),
    ] {
        let answer = update(&app, &id, change.clone()).await;
        let detail = &answer.body["details"][0];
        assert_eq!((answer.status, detail["path"].as_str()), (422, Some(path)), "{change}: {}", answer.body);
        assert!(code.is_empty() || detail["code"] == code, "{change}: {detail}");
    }
    assert_eq!(graph_of(&app, &id).await["llm_config"], json!(null));
}

#[tokio::test]
async fn agents_model_settings_are_used_and_its_fallback_on_failure() {
    let app = TestApp::start().await;
    let mut agent = settings();
    agent["name"] = json!("Desk");
    let id = app.agent(agent).await;
    app.activate(ANA, &id).await;
    app.model().fails(400);
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let asked = app.model().requests();
    let of =
        |request: &Value| (request["model"].clone(), request["temperature"].clone(), request["max_tokens"].clone());
    assert_eq!(of(&asked[0]), (json!("large"), json!(0.7), json!(300)));
    assert_eq!(asked[1]["model"], "small");
    assert_eq!(app.received_texts(ANA).await, ["Hello."]);
}

#[tokio::test]
async fn provider_without_key_fails_by_name_and_rehearsal_needs_no_key() {
    let app = TestApp::start().await;
    let id = app.agent(json!({"name": "Desk", "llm_config": {"provider_name": "OpenRouter"}})).await;
    app.activate(ANA, &id).await;
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let failed = app.execution(&id).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("llm_key_missing")));
    assert_eq!(update(&app, &id, json!({"llm_config": {"provider_name": "Rehearsal"}})).await.status, 200);
    app.forward(Span::from_secs(1)).await;
    app.contact_sends(ANA, "hi again").await;
    app.run_until_idle().await;
    let answered = app.execution(&id).await;
    assert_eq!(answered["status"], "paused", "{answered}");
    assert_eq!((app.model().requests().len(), app.received_texts(ANA).await.len()), (0, 1));
}

#[tokio::test]
async fn limits_apply_to_later_executions_and_snapshots_pin_them() {
    let app = TestApp::start().await;
    let id = app.agent(json!({"name": "Desk", "limits": {"messages": 1}})).await;
    app.activate(ANA, &id).await;
    let note = |text: &str| ("send_notification_to_user", json!({"message": text}));
    app.model().calls(&[note("1"), note("2")]);
    app.model().says("And?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["1", "And?"]);
    assert!(app.model().last_texts("tool").last().unwrap().contains("send_limit"));
    // The running execution keeps its settings.
    update(&app, &id, json!({"limits": null})).await;
    app.model().calls(&[note("3"), note("4")]);
    app.model().says("And now?");
    app.contact_sends(ANA, "more").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["1", "And?", "3", "And now?"]);
    end(&app, &id).await;
    app.model().calls(&[note("5"), note("6")]);
    app.model().says("Bye.");
    app.contact_sends(ANA, "again").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await[4..], ["5", "6", "Bye."]);
}

#[tokio::test]
async fn exhausted_token_budget_hands_off() {
    let app = TestApp::start().await;
    // The scripted model reports 15 tokens per request.
    let limits = json!({"token_budget": 20, "over_budget": "handoff"});
    let id = app.agent(json!({"name": "Desk", "limits": limits})).await;
    app.activate(ANA, &id).await;
    for text in ["one", "two"] {
        app.model().says(text);
        app.contact_sends(ANA, text).await;
        app.run_until_idle().await;
    }
    app.contact_sends(ANA, "three").await;
    app.run_until_idle().await;
    let execution = app.execution(&id).await;
    assert_eq!((&execution["status"], &execution["handoff_reason"]), (&json!("handoff"), &json!("budget_exceeded")));
}

#[tokio::test]
async fn optional_tool_is_offered_only_if_enabled() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "w", "type": "WebhookNode", "webhook": {"url": "https://shop.example/x"}}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "w"}, {"from": "w", "to": "__end__", "label": "done"}]});
    for (tools, offered) in [(json!(null), false), (json!(["webhook_request"]), true)] {
        let id = app.agent(json!({"name": "Desk", "graph": graph, "enabled_tools": tools})).await;
        app.activate(ANA, &id).await;
        app.model().says("?");
        app.contact_sends(ANA, "hi").await;
        app.run_until_idle().await;
        let asked = app.model().requests();
        let tools = asked.last().unwrap()["tools"].as_array().unwrap();
        assert_eq!(tools.iter().any(|tool| tool["function"]["name"] == "webhook_request"), offered);
    }
}
