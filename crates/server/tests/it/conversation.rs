//! Inbound messages and the agent's answers: debounce, prompts, model errors.

use domain::Span;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn message_gets_the_models_answer_and_its_statuses() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;

    app.model().says("Sure, which size?");
    app.contact_sends(ANA, "do you have the blue one?").await;
    app.run_until_idle().await;

    assert_eq!(app.received_texts(ANA).await, ["Sure, which size?"]);
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.forward(Span::from_secs(2)).await;
    let last = app.messages().await.pop().unwrap();
    assert_eq!(last["direction"], "outbound");
    assert_eq!(last["status"], "delivered");
    let wamid = last["whatsapp_message_id"].clone();
    assert!(wamid.as_str().unwrap().starts_with("wamid."));
    app.emulator_call("POST".parse().unwrap(), "/users/ana/read", Some(json!({"message_id": wamid}))).await;
    app.run_until_idle().await;
    assert_eq!(app.messages().await.pop().unwrap()["status"], "read");
}

#[tokio::test]
async fn burst_of_messages_produces_one_turn_with_all_texts_in_order() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Patient", "message_debounce_seconds": 2})).await;
    app.activate(ANA, &agent).await;

    app.model().says("I am here.");
    for word in ["one", "two", "three", "four", "five"] {
        app.contact_sends(ANA, word).await;
        app.forward(Span::from_millis(500)).await;
    }
    assert_eq!(app.model().requests().len(), 0, "the burst is not over");
    app.forward(Span::from_secs(2)).await;

    assert_eq!(app.model().requests().len(), 1);
    assert_eq!(app.model().last_texts("user"), ["one\ntwo\nthree\nfour\nfive"]);
    assert_eq!(app.received_texts(ANA).await, ["I am here."]);
}

#[tokio::test]
async fn debounce_ends_after_five_periods_of_continuous_messages() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Patient", "message_debounce_seconds": 2})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Let me stop you there.");
    for number in 0..10 {
        assert_eq!(app.model().requests().len(), 0, "after message {number}");
        app.contact_sends(ANA, "and another thing").await;
        app.forward(Span::from_secs(1)).await;
    }
    assert_eq!(app.model().requests().len(), 1, "ten seconds after the first message");
}

#[tokio::test]
async fn without_debounce_each_text_is_consumed_once_even_during_a_model_call() {
    let app = Arc::new(TestApp::start().await);
    let agent = app.agent(json!({"name": "Quick"})).await;
    app.activate(ANA, &agent).await;

    app.model().says_when_released("to the first only");
    app.model().says("to all three");
    app.contact_sends(ANA, "one").await;
    let turn = tokio::spawn({
        let app = app.clone();
        async move { app.run_until_idle().await }
    });
    app.model().received(1).await;
    app.contact_sends(ANA, "two").await;
    app.contact_sends(ANA, "three").await;
    app.model().release();
    turn.await.unwrap();
    app.run_until_idle().await;

    // The first answer covered only some texts and was discarded unsent.
    assert_eq!(app.received_texts(ANA).await, ["to all three"]);
    assert_eq!(app.model().requests().len(), 2);
    assert_eq!(app.model().last_texts("user"), ["one", "two\nthree"]);

    app.model().says("still here");
    app.contact_sends(ANA, "four").await;
    app.run_until_idle().await;
    assert_eq!(app.model().last_texts("user"), ["one", "two\nthree", "four"]);
}

#[tokio::test]
async fn model_request_has_prompts_and_tool_schemas() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [
            {"id": "s", "name": "__start__", "type": "DefaultNode"},
            {"id": "a", "name": "greeter", "type": "DefaultNode", "prompt": "Say hello to {{contact.profile_name}}."},
            {"id": "e", "name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "s", "to": "a"}, {"from": "a", "to": "e", "label": "nothing more is wanted"}]});
    let agent = app.agent(json!({"name": "Greeter", "system_prompt": "We sell hats.", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Hello Ana!");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;

    let request = app.model().requests().remove(0);
    let system = request["messages"][0]["content"].as_str().unwrap();
    assert!(system.contains("We sell hats.") && system.contains(ANA), "{system}");
    let step = app.model().last_texts("tool").remove(0);
    for part in ["# Step: greeter", "Say hello to Ana", "__end__: nothing more is wanted"] {
        assert!(step.contains(part), "{step}");
    }
    let tools: Vec<&str> =
        request["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        tools,
        ["send_notification_to_user", "send_media_message", "MoveToNextNode", "WaitForUser", "get_execution_metadata"]
    );
    let schema = &request["tools"][2]["function"]["parameters"];
    assert_eq!(schema["required"], json!(["next_node", "reason"]));
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
}

#[tokio::test]
async fn transient_model_error_is_retried() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Stubborn"})).await;
    app.activate(ANA, &agent).await;
    app.model().fails(503);
    app.model().says("back again");
    app.contact_sends(ANA, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 1, "not before the pause is over");
    assert_eq!(app.execution(&agent).await["status"], "running");
    app.forward(Span::from_secs(1)).await;
    assert_eq!(app.received_texts(ANA).await, ["back again"]);
}

#[tokio::test]
async fn permanent_model_error_fails_the_execution_and_resume_answers_the_message() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Refused"})).await;
    app.activate(ANA, &agent).await;
    app.model().fails(401);
    app.contact_sends(ANA, "is anybody there?").await;
    app.run_until_idle().await;
    let failed = app.execution(&agent).await;
    assert_eq!(
        (failed["status"].as_str(), failed["error"]["code"].as_str()),
        (Some("failed"), Some("llm_unavailable"))
    );

    app.model().says("I am now.");
    let path = format!("/api/v1/agents/{agent}/executions/{}/resume", failed["id"].as_str().unwrap());
    assert_eq!(app.post(&path, json!({})).await.status, 200);
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["I am now."]);
    assert_eq!(app.model().last_texts("user"), ["is anybody there?"]);
    assert_eq!(app.execution(&agent).await["id"], failed["id"]);
}

#[tokio::test]
async fn execution_keeps_the_graph_it_started_with() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Changing", "system_prompt": "Old rules."})).await;
    app.activate(ANA, &agent).await;
    app.model().says("ok");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"system_prompt": "New rules."}})).await.data();
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    app.contact_sends(ANA, "bye").await;
    app.run_until_idle().await;
    let system = |number: usize| app.model().requests()[number]["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(system(1).contains("Old rules."));
    assert_eq!(app.execution(&agent).await["status"], "ended");

    app.model().says("hello again");
    app.contact_sends(ANA, "me again").await;
    app.run_until_idle().await;
    assert!(system(2).contains("New rules."), "a new execution uses the current agent");
}
