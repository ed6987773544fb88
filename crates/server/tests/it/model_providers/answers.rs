//! Agents that answer through a provider of their project.

use super::{KEY, create, dialect, server, started, update};
use domain::Span;
use serde_json::{Value, json};
use testkit::{ANA, ScriptedModel, TestApp};

/// An agent that names a provider and says a sentence if its model gives no answer.
async fn agent(app: &TestApp, llm_config: Value) -> String {
    let agent = json!({"name": "Desk", "llm_config": llm_config, "limits": {"failure_message": "Sorry."}});
    let id = app.agent(agent).await;
    app.activate(ANA, &id).await;
    id
}

async fn says(app: &TestApp, text: &str) {
    app.forward(Span::from_secs(1)).await;
    app.contact_sends(ANA, text).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn agent_answers_through_its_projects_provider_and_the_key_is_written_nowhere() {
    for name in ["OpenAI", "Anthropic", "Gemini"] {
        let app = started().await;
        let (model, fields) = server(name).await;
        create(&app, fields).await;
        let agent = agent(&app, json!({"provider_name": "ours"})).await;
        model.says("Hello.");
        says(&app, "hi").await;
        assert_eq!(app.received_texts(ANA).await, ["Hello."], "{name}");
        assert_eq!((model.keys(), model.refused()), (vec![KEY.to_owned()], vec![]));
        assert!(app.model().requests().is_empty(), "the server's model is not asked");
        let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
        let events = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100")).await;
        let asked =
            events.data().as_array().unwrap().iter().find(|event| event["name"] == "llm.requested").unwrap().clone();
        let step = app.get(&format!("/api/v1/executions/{execution}/steps/{}", asked["step"])).await.data().clone();
        assert_eq!(step["model_request"]["body"], json!(model.bodies()[0]), "{name}");
        let shown = (&step["model_request"]["provider"], &step["model_request"]["model"]);
        assert_eq!(shown, (&json!("Ours"), &json!(dialect(name).model)));
        let stored = app.stored_texts().await;
        assert!(!format!("{stored:?} {} {step}", events.body).contains(KEY), "{name}");
    }
}

#[tokio::test]
async fn named_model_of_the_agent_is_asked() {
    let app = started().await;
    let (model, fields) = server("OpenAI").await;
    create(&app, fields).await;
    agent(&app, json!({"provider_name": "Ours", "provider_model_name": "gpt-4o"})).await;
    model.says("Hello.");
    says(&app, "hi").await;
    assert_eq!(model.requests()[0]["model"], "gpt-4o");
}

#[tokio::test]
async fn changed_key_and_changed_address_count_from_the_next_call_on() {
    let app = started().await;
    let (first, fields) = server("OpenAI").await;
    let path = create(&app, fields).await;
    let id = agent(&app, json!({"provider_name": "Ours"})).await;
    first.says("One.");
    says(&app, "1").await;
    first.accepts_only("sk-the-next-key-5678");
    update(&app, &path, json!({"api_key": "sk-the-next-key-5678"})).await.data();
    first.says("Two.");
    says(&app, "2").await;
    assert_eq!(first.keys(), [KEY, "sk-the-next-key-5678"]);
    let second = ScriptedModel::speaking(dialect("OpenAI")).await;
    update(&app, &path, json!({"base_url": second.base_url(), "api_key": KEY})).await.data();
    second.says("Three.");
    says(&app, "3").await;
    assert_eq!(
        (app.received_texts(ANA).await, second.keys()),
        (vec!["One.".into(), "Two.".into(), "Three.".into()], vec![KEY.into()])
    );
    // A refused key is redacted and ends with the agent's sentence.
    second.accepts_only("sk-rotated-at-the-provider");
    says(&app, "4").await;
    let failed = app.execution(&id).await;
    assert_eq!(failed["error"]["code"], "llm_unavailable", "{failed}");
    assert_eq!(app.received_texts(ANA).await[3..], ["Sorry."]);
    assert!(!format!("{failed} {:?}", app.stored_texts().await).contains(KEY));
}

#[tokio::test]
async fn provider_without_key_and_deleted_provider_fail_by_name_and_never_in_silence() {
    let app = started().await;
    let (_model, fields) = server("Anthropic").await;
    let path = create(&app, fields).await;
    let id = agent(&app, json!({"provider_name": "Ours"})).await;
    update(&app, &path, json!({"api_key": null})).await.data();
    says(&app, "hi").await;
    let failed = app.execution(&id).await;
    assert_eq!((&failed["error"]["code"], &failed["error"]["retryable"]), (&json!("llm_key_missing"), &json!(false)));
    assert_eq!(app.received_texts(ANA).await, ["Sorry."]);
    assert_eq!(app.call(reqwest::Method::DELETE, &path, None).await.status, 204);
    says(&app, "hi again").await;
    let failed = app.execution(&id).await;
    assert_eq!(
        (&failed["error"]["code"], &failed["error"]["retryable"]),
        (&json!("llm_provider_missing"), &json!(false))
    );
    assert_eq!(app.received_texts(ANA).await, ["Sorry.", "Sorry."]);
    // A fallback answers in its place.
    let change = json!({"llm_config": {"provider_name": "Ours", "fallbacks": [{"provider_name": "OpenAICompatible"}]}});
    app.patch(&format!("/api/v1/agents/{id}"), json!({"agent": change})).await.data();
    app.model().says("The server's model here.");
    says(&app, "and now?").await;
    assert_eq!(app.received_texts(ANA).await[2..], ["The server's model here."]);
}

#[tokio::test]
async fn provider_of_another_project_is_unknown_and_a_servers_name_may_be_taken() {
    let mut app = started().await;
    let (theirs, fields) = server("OpenAI").await;
    create(&app, fields.clone()).await;
    let other = app.app.operator().create_project_with("Other", &Default::default()).await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    (app.project, app.key) = (other, key);
    let id = agent(&app, json!({"provider_name": "Ours"})).await;
    says(&app, "hi").await;
    assert_eq!(app.execution(&id).await["error"]["code"], "llm_provider_missing");
    assert_eq!(theirs.keys(), [""; 0]);
    // The project's provider comes before the server's of this name.
    let (own, mut fields) = server("OpenAI").await;
    fields["name"] = json!("OpenAICompatible");
    create(&app, fields).await;
    app.patch(&format!("/api/v1/agents/{id}"), json!({"agent": {"llm_config": {"provider_name": "openaicompatible"}}}))
        .await
        .data();
    own.says("Ours.");
    says(&app, "hi again").await;
    assert_eq!(app.received_texts(ANA).await, ["Sorry.", "Ours."]);
    assert_eq!((own.keys().len(), app.model().requests().len()), (1, 0));
}

#[tokio::test]
async fn form_that_a_server_asked_for_is_remembered_between_calls() {
    let app = started().await;
    let (model, mut fields) = server("OpenAI reasoning").await;
    // Not recognised by its name, so the refusal of a temperature teaches it.
    fields["model"] = json!("our-deployment");
    create(&app, fields).await;
    agent(&app, json!({"provider_name": "Ours"})).await;
    model.says("One.");
    says(&app, "1").await;
    let taught = model.refused().len();
    assert!(taught > 0, "the server refused a form");
    model.says("Two.");
    app.forward(Span::from_secs(120)).await;
    says(&app, "2").await;
    assert_eq!((app.received_texts(ANA).await, model.refused().len()), (vec!["One.".into(), "Two.".into()], taught));
}

#[tokio::test]
async fn test_run_asks_the_agents_provider_for_user_and_judge() {
    let app = started().await;
    let (model, fields) = server("OpenAI").await;
    create(&app, fields).await;
    let id = app.agent(json!({"name": "Desk", "llm_config": {"provider_name": "Ours"}})).await;
    let suite = app.get(&format!("/api/v1/agents/{id}/test_suites")).await.data()[0]["id"].as_str().unwrap().to_owned();
    let case = json!({"test_case": {"name": "Greets", "script": "Say hello.", "rubric": "It greets."}});
    let case = app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), case).await.id();
    app.post(&format!("/api/v1/test_cases/{case}/test_runs"), json!({"agent_test_run": {}})).await.data();
    model.fails(400);
    app.run_until_idle().await;
    assert_eq!((model.keys(), app.model().requests().len()), (vec![KEY.to_owned()], 0));
}
