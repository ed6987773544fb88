//! Links between agents and numbers.

use domain::{Id, Span, ids::ContactId};
use reqwest::Method;
use serde_json::{Value, json};
use store::{
    contacts,
    conversations::{self, Touch},
};
use testkit::{ANA, TestApp};
use uuid::Uuid;

/// The emulated number belongs to a customer and is not a sandbox number.
async fn own_number() -> (TestApp, String) {
    let app = TestApp::with(true, |config| config.sandbox = None).await;
    let body = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let configs = format!("/api/v1/customers/{}/whatsapp_configs", app.post("/api/v1/customers", body).await.id());
    let config = json!({"name": "Line", "phone_number_id": emulator::PHONE_NUMBER_ID, "business_account_id": emulator::WABA_ID,
        "webhook_verify_token": "x", "access_token": emulator::ACCESS_TOKEN});
    let config = app.post(&configs, json!({"whatsapp_config": config})).await.id();
    (app, config)
}

async fn link(app: &TestApp, agent: &str, config: &str, is_primary: Option<bool>) -> Value {
    let mut link = json!({"whatsapp_config_id": config});
    if let Some(is_primary) = is_primary {
        link["is_primary"] = json!(is_primary);
    }
    let body = json!({"agent_whatsapp_config": link});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), body).await.data().clone()
}

fn path(agent: &str, link: &Value) -> String {
    format!("/api/v1/agents/{agent}/agent_whatsapp_configs/{}", link["id"].as_str().unwrap())
}

async fn ana_sends(app: &TestApp, text: &str) {
    app.contact_sends(ANA, text).await;
    app.run_until_idle().await;
}

async fn listed(app: &TestApp) -> Vec<Value> {
    app.get("/api/v1/whatsapp_conversations").await.data().as_array().unwrap().clone()
}

#[tokio::test]
async fn linked_agent_answers_and_the_contact_belongs_to_the_customer() {
    let (app, config) = own_number().await;
    ana_sends(&app, "anybody there?").await;
    assert_eq!(app.model().requests().len(), 0, "no agent is linked");
    let agent = app.agent(json!({"name": "Desk"})).await;
    let made = link(&app, &agent, &config, None).await;
    assert_eq!((&made["is_primary"], &made["whatsapp_config"]["id"]), (&json!(true), &json!(config)));
    app.model().says("Good morning.");
    ana_sends(&app, "hello").await;
    assert_eq!(app.received_texts(ANA).await, ["Good morning."]);
    let contact = app.get("/api/v1/whatsapp_contacts").await.data()[0].clone();
    let config = app.get(&format!("/api/v1/whatsapp_configs/{config}")).await;
    assert_eq!(contact["customer_id"], config.data()["customer_id"]);
}

#[tokio::test]
async fn primary_agent_answers_otherwise_the_first_linked() {
    let (app, config) = own_number().await;
    let first = app.agent(json!({"name": "First", "system_prompt": "I am the first."})).await;
    let second = app.agent(json!({"name": "Second", "system_prompt": "I am the second."})).await;
    let first_link = link(&app, &first, &config, Some(false)).await;
    app.forward(Span::from_secs(1)).await;
    let second_link = link(&app, &second, &config, None).await;
    assert_eq!((&first_link["is_primary"], &second_link["is_primary"]), (&json!(false), &json!(true)));
    let answered_by = async |text: &str| {
        app.model().calls(&[("MoveToNextNode", json!({"next_node": "end", "reason": "done"}))]);
        ana_sends(&app, text).await;
        app.model().last_texts("system")[0].contains("I am the second.")
    };
    assert!(answered_by("one").await);
    let set = async |path: &str, is_primary: bool| {
        let body = json!({"agent_whatsapp_config": {"is_primary": is_primary}});
        app.call(Method::PUT, path, Some(body)).await.data()["is_primary"].clone()
    };
    assert_eq!(set(&path(&first, &first_link), true).await, true);
    assert_eq!(app.get(&path(&second, &second_link)).await.data()["is_primary"], false, "one primary link per number");
    assert!(!answered_by("two").await);
    set(&path(&second, &second_link), true).await;
    assert!(answered_by("three").await);
    set(&path(&second, &second_link), false).await;
    assert!(!answered_by("four").await, "none is primary");
}

#[tokio::test]
async fn agent_is_linked_once_and_only_to_its_projects_numbers() {
    let (app, config) = own_number().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    link(&app, &agent, &config, None).await;
    let post = async |config: &str| {
        let body = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
        let answer = app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), body).await;
        (answer.status, answer.body["details"][0]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(post(&config).await, (422, "taken".into()));
    assert_eq!(post("0197a1b2-0000-7000-8000-000000000001").await, (422, "unknown_config".into()));
}

#[tokio::test]
async fn unlinked_agent_finishes_its_execution_and_starts_no_other() {
    let (app, config) = own_number().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let made = link(&app, &agent, &config, None).await;
    app.model().says("Which size?");
    ana_sends(&app, "a shirt").await;
    let path = path(&agent, &made);
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(app.get(&path).await.status, 404);
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "end", "reason": "done"}))]);
    ana_sends(&app, "large").await;
    assert_eq!(app.execution(&agent).await["status"], "ended");
    let asked = app.model().requests().len();
    ana_sends(&app, "hello?").await;
    assert_eq!(app.model().requests().len(), asked);
}

fn touch<'a>(app: &TestApp, config: &str, contact: ContactId) -> Touch<'a> {
    Touch {
        new_id: Id::from_uuid(Uuid::now_v7()),
        phone_number_id: emulator::PHONE_NUMBER_ID,
        contact,
        config: Some(config.parse().unwrap()),
        phone_number: None,
        contact_name: None,
        agent: None,
        inbound_at: None,
        now: app.clock.now(),
    }
}

/// On PostgreSQL a concurrent inbound message has read the link before its removal and stores its
/// agent afterwards.
#[tokio::test]
async fn message_racing_an_unlink_starts_no_execution() {
    let (app, config) = own_number().await;
    ana_sends(&app, "anybody there?").await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let id = listed(&app).await[0]["id"].as_str().unwrap().parse().unwrap();
    let store = &app.app.context().store;
    let row = conversations::find(&mut store.read().await.unwrap().conn(), app.project, id).await.unwrap().unwrap();
    let touch = Touch { agent: Some(Some(agent.parse().unwrap())), ..touch(&app, &config, row.contact_id) };
    store::transact!(store, "test", tx => conversations::touch(tx, app.project, &touch).await).unwrap();
    ana_sends(&app, "hello?").await;
    assert_eq!(app.model().requests().len(), 0);
}

/// One transaction would block all writes meanwhile, and lose all progress if it timed out.
#[tokio::test]
async fn deleting_a_busy_number_ends_its_conversations_in_batches() {
    let (app, config) = own_number().await;
    let store = &app.app.context().store;
    store::transact!(store, "test", tx => {
        for _ in 0..250 {
            let new = Id::from_uuid(Uuid::now_v7());
            let contact =
                contacts::ensure(tx, app.project, &[], new, &contacts::Seen::default(), app.clock.now()).await?;
            conversations::touch(tx, app.project, &touch(&app, &config, contact)).await?;
        }
        Ok::<_, store::Error>(())
    })
    .unwrap();
    app.take_commits();
    assert_eq!(app.call(Method::DELETE, &format!("/api/v1/whatsapp_configs/{config}"), None).await.status, 204);
    let commits = app.take_commits();
    assert_eq!(commits.iter().filter(|name| **name == "whatsapp_config.close").count(), 2, "{commits:?}");
    let open = app.get("/api/v1/whatsapp_conversations?q[status_eq]=active").await;
    assert_eq!(open.body["meta"]["total_count"], 0);
}

#[tokio::test]
async fn number_with_processing_disabled_stores_messages_without_answering() {
    let (app, config) = own_number().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    link(&app, &agent, &config, None).await;
    let off = json!({"whatsapp_config": {"inbound_processing_enabled": false}});
    app.patch(&format!("/api/v1/whatsapp_configs/{config}"), off).await.data();
    ana_sends(&app, "hello").await;
    assert_eq!((app.model().requests().len(), app.messages().await.len()), (0, 1));
}

#[tokio::test]
async fn deleted_number_ends_its_conversations_and_can_be_connected_again() {
    let (app, config) = own_number().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    link(&app, &agent, &config, None).await;
    app.model().says("Which size?");
    ana_sends(&app, "a shirt").await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    let row = app.get(&format!("/api/v1/whatsapp_configs/{config}")).await;
    let customer = row.data()["customer_id"].as_str().unwrap().to_owned();
    assert_eq!(app.call(Method::DELETE, &format!("/api/v1/whatsapp_configs/{config}"), None).await.status, 204);
    app.run_until_idle().await;
    assert_eq!(listed(&app).await[0]["status"], "ended");
    assert_ne!(app.execution(&agent).await["status"], "paused");
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs")).await.data(), &json!([]));
    let asked = app.model().requests().len();
    ana_sends(&app, "large").await;
    assert_eq!((app.model().requests().len(), listed(&app).await.len()), (asked, 1), "the number has no config");

    let again = json!({"name": "Again", "phone_number_id": emulator::PHONE_NUMBER_ID, "business_account_id": emulator::WABA_ID,
        "webhook_verify_token": "x", "access_token": emulator::ACCESS_TOKEN});
    let configs = format!("/api/v1/customers/{customer}/whatsapp_configs");
    let config = app.post(&configs, json!({"whatsapp_config": again})).await.id();
    link(&app, &agent, &config, None).await;
    app.forward(Span::from_secs(1)).await;
    app.model().says("Hello again.");
    ana_sends(&app, "and now?").await;
    let statuses: Vec<Value> = listed(&app).await.iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, ["active", "ended"]);
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Hello again.");
}
