//! The resource: keys are written and never read, and names are unique.

use super::{KEY, PATH, create, refused, started, update};
use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn key_is_never_returned_and_its_end_only_if_it_is_long() {
    let app = TestApp::start().await;
    let made = create(&app, json!({"name": "Ours", "kind": "Anthropic", "api_key": KEY})).await;
    let shown = app.get(&made).await;
    assert_eq!((&shown.data()["key_set"], &shown.data()["key_hint"]), (&json!(true), &json!("1234")));
    assert_eq!(shown.data()["base_url"], json!(null));
    let short = update(&app, &made, json!({"api_key": "sk-12345678"})).await;
    assert_eq!((&short.data()["key_set"], &short.data()["key_hint"]), (&json!(true), &json!(null)));
    let none = update(&app, &made, json!({"api_key": null, "model": "claude-sonnet-4-5"})).await;
    assert_eq!((&none.data()["key_set"], &none.data()["model"]), (&json!(false), &json!("claude-sonnet-4-5")));
    update(&app, &made, json!({"api_key": KEY})).await.data();
    let list = app.get(PATH).await;
    assert_eq!((list.data().as_array().unwrap().len(), &list.data()[0]["key_hint"]), (1, &json!("1234")));
    let audit = app.get("/api/v1/audit").await;
    for answer in app.take_answers() {
        assert!(!answer.answer.body.to_string().contains(KEY), "{} {}", answer.method, answer.path);
    }
    let actions: Vec<_> = audit.data().as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "model_provider.update").count(), 3, "{actions:?}");
    assert_eq!(app.call(reqwest::Method::DELETE, &made, None).await.status, 204);
    assert_eq!(app.get(&made).await.status, 404);
}

#[tokio::test]
async fn names_are_unique_in_a_project_in_either_case() {
    let app = TestApp::start().await;
    create(&app, json!({"name": "Ours", "kind": "OpenAI"})).await;
    let taken = ("/model_provider/name".to_owned(), "taken".to_owned());
    let again = app.post(PATH, json!({"model_provider": {"name": "OURS", "kind": "Mistral"}})).await;
    assert_eq!(refused(&again), taken);
    let other = create(&app, json!({"name": "Theirs", "kind": "OpenAI"})).await;
    assert_eq!(refused(&update(&app, &other, json!({"name": "ours"})).await), taken);
    update(&app, &other, json!({"name": "THEIRS"})).await.data();
    for name in ["", " a", "a ", "a/b", "a\nb", &"a".repeat(65)] {
        let bad = app.post(PATH, json!({"model_provider": {"name": name, "kind": "OpenAI"}})).await;
        assert_eq!(bad.status, 422, "{name:?}");
    }
}

#[tokio::test]
async fn provider_without_an_address_of_its_own_needs_one() {
    let app = started().await;
    let required = ("/model_provider/base_url".to_owned(), "required".to_owned());
    for kind in ["OpenAICompatible", "AzureOpenAI"] {
        let made = app.post(PATH, json!({"model_provider": {"name": "Ours", "kind": kind}})).await;
        assert_eq!(refused(&made), required, "{kind}");
    }
    let made =
        create(&app, json!({"name": "Ours", "kind": "OpenAICompatible", "base_url": "http://127.0.0.1:9/v1"})).await;
    assert_eq!(refused(&update(&app, &made, json!({"base_url": null})).await), required);
}

#[tokio::test]
async fn stored_key_is_sent_to_no_other_address() {
    let app = started().await;
    let made = create(&app, json!({"name": "Ours", "kind": "OpenAI", "api_key": KEY})).await;
    let key_required = ("/model_provider/api_key".to_owned(), "key_required".to_owned());
    let url = "http://127.0.0.1:9/v1";
    assert_eq!(refused(&update(&app, &made, json!({"base_url": url})).await), key_required);
    update(&app, &made, json!({"base_url": url, "api_key": "another key".replace(' ', "-")})).await.data();
    assert_eq!(refused(&update(&app, &made, json!({"base_url": null})).await), key_required);
    // The same address is no change, and without a key there is none to send.
    update(&app, &made, json!({"base_url": url})).await.data();
    update(&app, &made, json!({"base_url": null, "api_key": null})).await.data();
    update(&app, &made, json!({"base_url": url})).await.data();
}

#[tokio::test]
async fn project_has_at_most_twenty_providers() {
    let app = TestApp::start().await;
    for number in 0..20 {
        create(&app, json!({"name": format!("p{number}"), "kind": "OpenAI"})).await;
    }
    let more = app.post(PATH, json!({"model_provider": {"name": "more", "kind": "OpenAI"}})).await;
    assert_eq!((more.status, &more.body["code"]), (409, &json!("too_many_providers")));
}

#[tokio::test]
async fn agent_that_names_an_unknown_provider_is_saved_with_a_warning() {
    let app = TestApp::start().await;
    let config =
        json!({"provider_name": "ours", "fallbacks": [{"provider_name": "openai"}, {"provider_name": "theirs"}]});
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "ask", "llm_config": {"provider_name": "Third"}}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "ask"}, {"from": "ask", "to": "__end__", "label": "done"}]});
    let warned = |answer: &testkit::Answer| {
        let all = answer.body["warnings"].as_array().unwrap().iter();
        let all = all.filter(|warning| warning["code"] == "unknown_provider");
        all.map(|warning| warning["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let made =
        app.post("/api/v1/agents", json!({"agent": {"name": "Desk", "llm_config": config, "graph": graph}})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(warned(&made), ["/agent/llm_config", "/agent/llm_config", "/agent/graph/nodes/1/llm_config"]);
    for name in ["Ours", "Theirs", "THIRD"] {
        create(&app, json!({"name": name, "kind": "OpenAI"})).await;
    }
    let path = format!("/api/v1/agents/{}", made.id());
    let saved = app.patch(&path, json!({"agent": {"graph": graph}})).await;
    assert_eq!((saved.status, warned(&saved)), (200, vec![]), "{}", saved.body);
}
