//! `check` and `GET /models`: what works, and why not.

use super::{KEY, create, dialect, server, started, update};
use serde_json::{Value, json};
use testkit::TestApp;

async fn check(app: &TestApp, path: &str) -> Value {
    let answer = app.post(&format!("{path}/check"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.data().clone()
}

#[tokio::test]
async fn check_reports_what_works_for_each_protocol() {
    for name in ["OpenAI", "Anthropic", "Gemini"] {
        let app = started().await;
        let (model, fields) = server(name).await;
        let path = create(&app, fields).await;
        model.says("OK");
        model.calls(&[("report_ready", json!({"ready": true}))]);
        model.says("Red");
        let found = check(&app, &path).await;
        assert_eq!(found["works"], true, "{name}: {found}");
        assert_eq!(
            (&found["reachable"], &found["key_accepted"], &found["tools"]),
            (&json!(true), &json!(true), &json!(true))
        );
        assert_eq!((&found["streaming"], &found["images"]), (&json!(true), &json!(true)));
        assert_eq!(found["model"], dialect(name).model);
        model.says("OK");
        model.says("I cannot call tools.");
        model.says("Red");
        model.streams_nothing();
        let found = check(&app, &path).await;
        assert_eq!((&found["tools"], &found["streaming"]), (&json!(false), &json!(false)), "{name}");
        assert_eq!(model.refused(), []);
    }
}

#[tokio::test]
async fn check_says_whether_pictures_work() {
    for (name, refused) in [("DeepSeek", 0), ("vLLM", 1), ("llama.cpp and Ollama", 1)] {
        let app = started().await;
        let (model, fields) = server(name).await;
        let path = create(&app, fields).await;
        let answers = if refused == 0 { 2 } else { 3 };
        for _ in 0..answers {
            model.says("OK");
        }
        let found = check(&app, &path).await;
        assert_eq!((&found["works"], &found["images"]), (&json!(true), &json!(false)), "{name}: {found}");
        assert_eq!(model.refused().iter().filter(|refused| refused.rule == "pictures").count(), refused, "{name}");
    }
    let app = started().await;
    let (model, fields) = server("OpenAI").await;
    let path = create(&app, fields).await;
    model.says("OK");
    model.says("OK");
    model.fails(503);
    let found = check(&app, &path).await;
    assert_eq!((&found["works"], &found["images"]), (&json!(true), &json!(null)), "{found}");
}

#[tokio::test]
async fn check_explains_a_wrong_key_without_showing_it() {
    for name in ["OpenAI", "Anthropic", "Gemini"] {
        let app = started().await;
        let (_model, fields) = server(name).await;
        let path = create(&app, fields).await;
        update(&app, &path, json!({"api_key": "sk-a-wrong-key-9999"})).await.data();
        let found = check(&app, &path).await;
        assert_eq!(
            (&found["works"], &found["reachable"], &found["key_accepted"]),
            (&json!(false), &json!(true), &json!(false))
        );
        assert_eq!(found["problem"]["code"], "key_refused", "{name}: {found}");
        let message = found["problem"]["message"].as_str().unwrap();
        assert!(message.contains("[redacted]") && !message.contains("sk-a-wrong"), "{name}: {message}");
        update(&app, &path, json!({"api_key": null})).await.data();
        let found = check(&app, &path).await;
        assert_eq!(
            (&found["problem"]["code"], &found["reachable"]),
            (&json!("llm_key_missing"), &json!(null)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn check_reports_a_server_that_does_not_answer() {
    let app = started().await;
    let (model, fields) = server("vLLM").await;
    let path = create(&app, fields).await;
    model.fails(503);
    let found = check(&app, &path).await;
    assert_eq!((&found["works"], &found["reachable"]), (&json!(false), &json!(true)), "{found}");
    drop(model);
    let found = check(&app, &path).await;
    assert_eq!((&found["problem"]["code"], &found["reachable"]), (&json!("unreachable"), &json!(false)), "{found}");
    assert!(!found.to_string().contains("127.0.0.1"), "an address is nothing for a project: {found}");
}

#[tokio::test]
async fn models_are_those_of_the_server_and_of_the_projects_providers() {
    for name in ["OpenAI", "Anthropic", "Gemini"] {
        let app = started().await;
        let (_model, fields) = server(name).await;
        let path = create(&app, fields).await;
        let models = app.get("/api/v1/models").await.data().clone();
        let mut expected = [dialect(name).model, "another-model"];
        expected.sort_unstable();
        assert_eq!(models[0]["models"], json!(expected), "{name}: {models}");
        assert_eq!((&models[0]["provider"], &models[0]["source"]), (&json!("Ours"), &json!("project")));
        assert_eq!((&models[1]["provider"], &models[1]["default"]), (&json!("OpenAICompatible"), &json!(true)));
        assert_eq!((&models[1]["models"], &models[1]["source"]), (&json!(["scripted-1"]), &json!("server")));
        assert!(models.as_array().unwrap().iter().any(|one| one["provider"] == "Rehearsal"), "{models}");
        assert!(!models.as_array().unwrap().iter().any(|one| one["provider"] == "OpenRouter"), "it has no key");
        // A provider of the project hides one of the server, and a wrong key is explained.
        update(&app, &path, json!({"name": "rehearsal", "api_key": "sk-a-wrong-key-9999"})).await.data();
        let models = app.get("/api/v1/models").await.data().clone();
        assert!(!models.as_array().unwrap().iter().any(|one| one["provider"] == "Rehearsal"), "{models}");
        assert_eq!(
            (&models[0]["models"], &models[0]["default_model"]),
            (&json!([dialect(name).model]), &json!(dialect(name).model))
        );
        let problem = models[0]["problem"]["message"].as_str().unwrap();
        assert!(!problem.contains("sk-a-wrong") && !models.to_string().contains(KEY), "{problem}");
    }
}
