//! Message templates: drafts, reviews by Meta, syncs and sends, with the emulator as Meta.

mod agents;
mod buttons;
mod drafts;
mod lost_answers;
mod outside_window;
mod races;
mod sends;
mod submission;
mod syncs;
mod webhooks;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

const TEMPLATES: &str = "/api/v1/whatsapp_templates";

/// Starts a server whose project has a number of the emulated account; returns the config.
async fn connected() -> (TestApp, String) {
    let app = TestApp::start().await;
    let (_, config) = app.own_number().await;
    (app, config)
}

fn visit(name: &str) -> Value {
    json!({"name": name, "language_code": "pt_BR", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Oi {{1}}, até as {{2}} horas.", "example": {"body_text": [["Marta", "17:30"]]}}]})
}

async fn draft(app: &TestApp, name: &str) -> String {
    app.post(TEMPLATES, json!({"template": visit(name)})).await.id()
}

fn path(id: &str, rest: &str) -> String {
    format!("{TEMPLATES}/{id}{rest}")
}

async fn read(app: &TestApp, id: &str) -> Value {
    app.get(&path(id, "")).await.data().clone()
}

async fn status(app: &TestApp, id: &str) -> String {
    read(app, id).await["status"].as_str().unwrap().to_owned()
}

async fn submit(app: &TestApp, id: &str) -> Answer {
    app.post(&path(id, "/submit"), json!({})).await
}

/// Creates an approved template.
async fn approved(app: &TestApp, name: &str) -> String {
    let id = draft(app, name).await;
    assert_eq!(submit(app, &id).await.status, 200);
    app.forward(domain::Span::from_secs(1)).await;
    assert_eq!(status(app, &id).await, "approved");
    id
}

/// Syncs all templates of the emulated account.
async fn sync(app: &TestApp) -> Value {
    let queued = app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    assert_eq!(queued.status, 202, "{}", queued.body);
    app.run_until_idle().await;
    let id = queued.body["sync_requests"][0]["id"].as_str().unwrap();
    app.get(&format!("{TEMPLATES}/sync_status?sync_request_ids={id}")).await.body["sync_requests"][0].clone()
}

/// Id of a synced template.
async fn synced(app: &TestApp, name: &str, language: &str) -> String {
    let list = app.get(&format!("{TEMPLATES}?q[name_cont]={name}&q[language_code_eq]={language}")).await;
    let found = list.data().as_array().unwrap().iter().find(|template| template["name"] == name).cloned();
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn fault(app: &TestApp, surface: &str, action: Value) {
    let rule = json!({"when": {"surface": surface}, "trigger": {"next": 1}, "do": action});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
}

/// Templates of the emulated account.
async fn templates_at_meta(app: &TestApp) -> Vec<Value> {
    let all = app.emulator_call(Method::GET, "/templates", None).await;
    all["templates"].as_array().unwrap().clone()
}

async fn decide(app: &TestApp, meta_id: &Value, decision: Value) {
    let path = format!("/templates/{}/decision", meta_id.as_str().unwrap());
    app.emulator_call(Method::POST, &path, Some(decision)).await;
}

/// Turns off automatic reviews in the emulator.
async fn review_manually(app: &TestApp) {
    app.emulator_call(Method::PUT, "/templates/approval", Some(json!("manual"))).await;
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

fn detail(answer: &Answer) -> (&str, &str) {
    let detail = &answer.body["details"][0];
    (detail["path"].as_str().unwrap_or_default(), detail["code"].as_str().unwrap_or_default())
}
