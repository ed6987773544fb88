//! Addresses of project's providers go through the guard for users' URLs, when they are saved and
//! at each call.

use super::{KEY, PATH, create, refused, started, update};
use serde_json::json;
use store::model_providers;
use testkit::{ANA, ScriptedModel, TestApp};

#[tokio::test]
async fn private_address_is_refused_unless_the_operator_allows_it() {
    let app = TestApp::start().await;
    let blocked = ("/model_provider/base_url".to_owned(), "blocked_address".to_owned());
    let public = create(&app, json!({"name": "Public", "kind": "OpenAI"})).await;
    for url in [
        "http://127.0.0.1:11434/v1",
        "https://127.0.0.1/v1",
        "https://localhost/v1",
        "https://[::1]/v1",
        "https://10.0.0.8/v1",
        "http://169.254.169.254/latest",
        "https://[::ffff:10.0.0.8]/",
    ] {
        let fields = json!({"name": "Ours", "kind": "OpenAICompatible", "base_url": url});
        assert_eq!(refused(&app.post(PATH, json!({"model_provider": fields})).await), blocked, "{url}");
        assert_eq!(refused(&update(&app, &public, json!({"base_url": url})).await), blocked, "{url}");
    }
    let allowing = started().await;
    create(&allowing, json!({"name": "Ours", "kind": "OpenAICompatible", "base_url": "http://127.0.0.1:11434/v1"}))
        .await;
}

#[tokio::test]
async fn private_address_is_refused_at_each_call_and_the_contact_gets_the_agents_sentence() {
    let app = TestApp::start().await;
    let private = ScriptedModel::start().await;
    let made = create(&app, json!({"name": "Ours", "kind": "OpenAI", "api_key": KEY})).await;
    // As if its name resolved to another address since.
    let (context, project) = (app.app.context(), app.project);
    let id = made.rsplit('/').next().unwrap().parse().unwrap();
    let changed = store::transact!(context.store, "test.move", tx => {
        let mut row = model_providers::lock(tx, project, id).await?.unwrap();
        row.base_url = Some(private.base_url());
        model_providers::update(tx, project, &row).await
    });
    changed.unwrap();
    let agent =
        json!({"name": "Desk", "llm_config": {"provider_name": "Ours"}, "limits": {"failure_message": "Sorry."}});
    let agent = app.agent(agent).await;
    app.activate(ANA, &agent).await;
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["error"]["code"], "llm_unavailable");
    assert_eq!(app.received_texts(ANA).await, ["Sorry."]);
    let checked = app.post(&format!("{made}/check"), json!({})).await;
    assert_eq!(checked.data()["problem"]["code"], "blocked_address", "{}", checked.body);
    assert_eq!(checked.data()["reachable"], false);
    let models = app.get("/api/v1/models").await;
    assert_eq!(models.data()[0]["problem"]["code"], "blocked_address", "{}", models.body);
    assert_eq!(private.keys(), [""; 0], "no request was made");
}
