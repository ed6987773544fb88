//! Every topic: its change is made over the API or by WhatsApp, and the event is in the feed.

use super::client::Client;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Span, event::Event};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

struct World {
    app: TestApp,
    agent: String,
    config: String,
    conversation: String,
    contact: String,
    message: String,
    member: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let (_, config) = app.own_number().await;
        let agent = app.agent(json!({"name": "Desk"})).await;
        app.activate(ANA, &agent).await;
        let member = app.member("maria@example.test").await;
        let conversation = app.conversation().await;
        let contact = app.get("/api/v1/whatsapp_contacts").await.data()[0]["id"].as_str().unwrap().to_owned();
        let message = app.messages().await[0]["id"].as_str().unwrap().to_owned();
        Self { app, agent, config, conversation, contact, message, member }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.app.post(&format!("/api/v1/{path}"), body).await;
        assert!(answer.status < 300, "{path}: {}", answer.body);
        answer.body
    }

    async fn patch(&self, path: &str, body: Value) {
        let answer = self.app.patch(&format!("/api/v1/{path}"), body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }

    /// Makes the change of a topic. Returns the name of the transaction that makes it, and whether the
    /// change is that one transaction.
    async fn change(&self, topic: Event) -> (&'static str, bool) {
        match topic {
            Event::MessageReceived | Event::MessageCreated | Event::MessageStatus | Event::ExecutionStatus => {
                self.app.model().says("Yes?");
                self.app.contact_sends(ANA, "hi").await;
                self.app.forward(Span::from_secs(5)).await;
                if topic == Event::MessageStatus {
                    // WhatsApp reports the answer's delivery later.
                    self.app.forward(Span::from_secs(5)).await;
                }
                let name = match topic {
                    Event::MessageCreated | Event::ExecutionStatus => "turn.step",
                    _ => "ingest",
                };
                (name, false)
            }
            Event::ModelFailing => {
                self.app.model().fails(401);
                let body = json!({"phone_number": "+5511987650778", "whatsapp_config_id": self.config});
                self.post(&format!("agents/{}/executions", self.agent), body).await;
                self.app.work_until_idle().await;
                ("turn.step", false)
            }
            Event::MessageUnconfirmed => {
                let fault = json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "drop"});
                self.app.emulator_call(Method::POST, "/faults", Some(fault)).await;
                let message = json!({"phone_number": ANA, "message_type": "template", "template_name": "hello_world",
                    "whatsapp_config_id": self.config});
                self.post("whatsapp_messages", json!({"message": message})).await;
                self.app.work_until_idle().await;
                self.app.forward(Span::from_secs(40)).await;
                ("outbox.settle", false)
            }
            Event::MessageMedia => {
                // The agent answers the picture when its burst is over.
                self.app.model().says("A nice picture.");
                let file = json!({"base64": STANDARD.encode(b"\xff\xd8\xff\xe0 a picture"), "mime_type": "image/jpeg",
                    "phone_number_id": OWN_NUMBER_ID});
                let file = self.app.emulator_call(Method::POST, "/inbound/media", Some(file)).await["media_id"].clone();
                let body =
                    json!({"from": ANA, "type": "image", "image": {"id": file}, "phone_number_id": OWN_NUMBER_ID});
                self.app.emulator_call(Method::POST, "/inbound", Some(body)).await;
                self.app.work_until_idle().await;
                ("media.settle", false)
            }
            Event::MessageDeleted => {
                let path = format!("/api/v1/whatsapp_messages/{}", self.message);
                assert_eq!(self.app.call(Method::DELETE, &path, None).await.status, 204);
                ("message.delete", true)
            }
            Event::MessageEdited | Event::MessageRevoked => {
                self.app.model().says("Yes?");
                self.app.contact_sends(ANA, "hi").await;
                self.app.forward(Span::from_secs(5)).await;
                let written =
                    self.app.chat(ANA).await.into_iter().rfind(|message| message["direction"] == "in").unwrap();
                let (action, text) = match topic {
                    Event::MessageEdited => ("edit", json!("Hello there")),
                    _ => ("delete", Value::Null),
                };
                if topic == Event::MessageEdited {
                    self.app.model().says("Hello.");
                }
                let body = json!({"message_id": written["id"], "text": text});
                self.app.emulator_call(Method::POST, &format!("/users/{ANA}/{action}"), Some(body)).await;
                self.app.forward(Span::from_secs(5)).await;
                ("ingest", false)
            }
            Event::ConversationCreated => {
                // Said when the workers run next.
                self.app.model().says("Hello.");
                let body = json!({"phone_number": "+5511987650777", "whatsapp_config_id": self.config});
                self.post(&format!("agents/{}/executions", self.agent), body).await;
                ("execution.create", false)
            }
            Event::ConversationUpdated => {
                let path = format!("whatsapp_conversations/{}/conversation_assignments", self.conversation);
                self.post(&path, json!({"conversation_assignment": {"user_id": self.member}})).await;
                ("conversation_assignment.create", true)
            }
            Event::SandboxSessionUpdated => {
                let session = json!({"phone_number": "+5511999990002", "agent_id": self.agent});
                self.post("sandbox_sessions", json!({"whatsapp_sandbox_session": session})).await;
                ("sandbox.open", true)
            }
            Event::ContactUpdated => {
                let path = format!("whatsapp_contacts/{}", self.contact);
                self.patch(&path, json!({"contact": {"profile_name": "Ana B."}})).await;
                ("whatsapp_contact.update", true)
            }
            Event::NoteChanged => {
                let path = format!("whatsapp_contacts/{}/notes", self.contact);
                self.post(&path, json!({"note": {"content": "Pays late"}})).await;
                ("whatsapp_contact_note.create", true)
            }
            Event::AgentUpdated | Event::AgentPublished => {
                let prompt = format!("Be kind. {topic}");
                self.patch(&format!("agents/{}", self.agent), json!({"agent": {"system_prompt": prompt}})).await;
                ("agent.update", true)
            }
            Event::TestChatUpdated => {
                self.post(&format!("agents/{}/test_chats", self.agent), json!({"message": "hi"})).await;
                ("test_chat.say", true)
            }
            Event::TestRunUpdated => {
                let suites = self.app.get(&format!("/api/v1/agents/{}/test_suites", self.agent)).await;
                let suite = suites.data()[0]["id"].as_str().unwrap();
                let case = json!({"test_case": {"name": "Greets", "script": "Say hello.", "rubric": "It greets."}});
                let case = self.post(&format!("test_suites/{suite}/test_cases"), case).await;
                let path = format!("test_cases/{}/test_runs", case["data"]["id"].as_str().unwrap());
                self.app.take_commits();
                self.post(&path, json!({"agent_test_run": {}})).await;
                ("test_run.create", true)
            }
            Event::WhatsappConfigUpdated => {
                let path = format!("whatsapp_configs/{}", self.config);
                self.patch(&path, json!({"whatsapp_config": {"name": "Renamed"}})).await;
                ("whatsapp_config.update", true)
            }
            Event::TemplateStatus => {
                let template = json!({"name": "visit", "language_code": "pt_BR", "category": "UTILITY",
                    "components": [{"type": "BODY", "text": "Bem-vinda."}]});
                let made = self.post("whatsapp_templates", json!({"template": template})).await;
                let path = format!("whatsapp_templates/{}/submit", made["data"]["id"].as_str().unwrap());
                self.post(&path, json!({})).await;
                ("whatsapp_template.submit", false)
            }
            Event::TemplateSyncUpdated => {
                self.post("whatsapp_templates/sync", json!({})).await;
                ("whatsapp_template.sync", true)
            }
            Event::MemberUpdated => {
                self.patch(&format!("members/{}", self.member), json!({"member": {"role": "owner"}})).await;
                ("member.update", true)
            }
            Event::ApiKeyRevoked => {
                let key = self.post("api_keys", json!({"api_key": {"name": "old", "role": "viewer"}})).await;
                self.app.take_commits();
                let path = format!("/api/v1/api_keys/{}", key["data"]["id"].as_str().unwrap());
                assert_eq!(self.app.call(Method::DELETE, &path, None).await.status, 204);
                ("api_key.revoke", true)
            }
            Event::WebhookPaused => unreachable!("left out"),
        }
    }

    /// Topics of all events, by id.
    async fn events(&self, since: &str) -> BTreeMap<String, String> {
        let list = self.app.get(&format!("/api/v1/events?after={since}")).await;
        assert_eq!(list.body["meta"]["reset"], false);
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        list.data().as_array().unwrap().iter().map(|event| (text(event, "id"), text(event, "topic"))).collect()
    }
}

#[tokio::test]
async fn every_topic_is_written_in_the_transaction_of_its_change() {
    let world = World::new().await;
    let since = world.app.get("/api/v1/events").await.body["meta"]["cursor"].as_str().unwrap().to_owned();
    let mut client = Client::open(&world.app).await;
    let mut known = world.events(&since).await;
    let earlier = known.len();
    // An endpoint is paused after three days of failures: its own tests show that event.
    for topic in Event::ALL.iter().filter(|topic| **topic != Event::WebhookPaused) {
        world.app.take_commits();
        let (name, is_one) = Box::pin(world.change(*topic)).await;
        let commits = world.app.take_commits();
        assert!(commits.contains(&name), "{topic}: {commits:?}");
        assert!(!is_one || commits == [name], "{topic}: {commits:?}");
        // Meta's statuses come after the answer.
        let is_new = |(id, found): (&String, &String)| !known.contains_key(id) && found == topic.as_str();
        testkit::until(|| async { world.events(&since).await.iter().any(is_new) }).await;
        known = world.events(&since).await;
    }
    for _ in earlier..known.len() {
        let message = client.next().await;
        let topic = known.get(message.data["id"].as_str().unwrap());
        assert_eq!(topic.map(String::as_str), message.data["topic"].as_str(), "the stream shows the same events");
    }
}

#[tokio::test]
async fn refused_change_writes_no_event() {
    let world = World::new().await;
    let since = world.app.get("/api/v1/events").await.body["meta"]["cursor"].as_str().unwrap().to_owned();
    let known = world.events(&since).await;
    let path = format!("/api/v1/whatsapp_conversations/{}/conversation_assignments", world.conversation);
    let body = json!({"conversation_assignment": {"user_id": world.member}});
    assert_eq!(world.app.post(&path, body.clone()).await.status, 201);
    let assigned = world.events(&since).await;
    assert!(assigned.len() > known.len());
    assert_eq!(world.app.post(&path, body).await.status, 422);
    let agent = format!("/api/v1/agents/{}", world.agent);
    let stale = [("if-match", "\"999\""), ("content-type", "application/json")];
    let body = json!({"agent": {"name": "Other"}}).to_string();
    assert_eq!(world.app.call_raw(&stale, Method::PATCH, &agent, Some(body)).await.status, 409);
    assert_eq!(world.events(&since).await, assigned);
}

#[tokio::test]
async fn agent_is_published_only_when_its_snapshot_changes() {
    let world = World::new().await;
    let since = world.app.get("/api/v1/events").await.body["meta"]["cursor"].as_str().unwrap().to_owned();
    let known = world.events(&since).await;
    world.patch(&format!("agents/{}", world.agent), json!({"agent": {"name": "Front desk"}})).await;
    let all = world.events(&since).await;
    let new: Vec<_> = all.iter().filter(|(id, _)| !known.contains_key(*id)).map(|(_, topic)| topic.as_str()).collect();
    assert_eq!(new, ["agent.updated"]);
}
