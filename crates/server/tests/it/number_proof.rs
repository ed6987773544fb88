//! A number's messages go to the config that proved it at Meta, and to no other.

mod squatting;

use domain::{Span, conversation::NumberProof};
use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Answer, Service, TestApp};

const NUMBER: &str = "100000000000902";
const ACCOUNT: &str = "200000000000001";
/// Reads number and account.
const OWNER: &str = "EAAOWNER";
/// A second token of the owner, for example of an agency.
const AGENCY: &str = "EAAAGENCY";
/// Reads the number but not the account.
const HALF: &str = "EAAHALF";
/// Reads another number and its account.
const SQUATTER: &str = "EAASQUATTER";
const THEIR_NUMBER: &str = "100000000000903";
const THEIR_ACCOUNT: &str = "2003";

/// Meta as far as proofs and sends need it. `down` makes it answer 500.
fn answer(down: bool, token: &str, method: &Method, path: &str) -> (u16, Value) {
    let error = |status, code: i64, subcode: i64| {
        (status, json!({"error": {"code": code, "error_subcode": subcode, "message": "no"}}))
    };
    if down {
        return error(500, 2, 0);
    }
    let (numbers, accounts): (&[&str], &[(&str, &str)]) = match token {
        OWNER | AGENCY => (&[NUMBER], &[(ACCOUNT, NUMBER)]),
        HALF => (&[NUMBER], &[]),
        SQUATTER => (&[THEIR_NUMBER], &[(THEIR_ACCOUNT, THEIR_NUMBER)]),
        _ => return error(401, 190, 0),
    };
    let segments: Vec<&str> = path.split('?').next().unwrap().split('/').skip(2).collect();
    match segments[..] {
        [number, "messages"] if numbers.contains(&number) && *method == Method::POST => {
            (200, json!({"messages": [{"id": format!("wamid.OUT{}", uuid::Uuid::now_v7())}]}))
        }
        [account, "phone_numbers"] => match accounts.iter().find(|(id, _)| *id == account) {
            Some((_, number)) => (200, json!({"data": [{"id": number}]})),
            None => error(400, 100, 33),
        },
        // Meta may read an id with leading zeros as the same number.
        [number] if numbers.contains(&number.trim_start_matches('0')) => {
            (200, json!({"id": number.trim_start_matches('0'), "display_phone_number": "+1 555-090-9902"}))
        }
        _ => error(400, 100, 33),
    }
}

struct World {
    app: TestApp,
    meta: Service,
    down: Arc<Mutex<bool>>,
    /// API key of the squatter's project.
    squatter: String,
    sent: usize,
}

impl World {
    async fn new() -> Self {
        let down = Arc::new(Mutex::new(false));
        let meta = {
            let down = down.clone();
            Service::start_with(move |request| {
                let token = request.bearer.as_deref().unwrap_or_default();
                answer(*down.lock().unwrap(), token, &request.method, &request.path)
            })
            .await
        };
        let url = meta.url();
        let app = TestApp::with(true, |config| {
            config.graph_base_url = url;
            config.sandbox = None;
        })
        .await;
        let squatter = app.app.operator().create_project("Squatter").await.unwrap();
        let (_, squatter) = app.app.operator().create_key(&squatter.to_string()).await.unwrap();
        Self { app, meta, down, squatter, sent: 0 }
    }

    async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.app.call_as(Some(key), Method::POST, path, Some(body)).await
    }

    async fn patch(&self, key: &str, id: &str, change: Value) -> Answer {
        let path = format!("/api/v1/whatsapp_configs/{id}");
        self.app.call_as(Some(key), Method::PATCH, &path, Some(json!({"whatsapp_config": change}))).await
    }

    async fn delete(&self, key: &str, id: &str) {
        let path = format!("/api/v1/whatsapp_configs/{id}");
        assert_eq!(self.app.call_as(Some(key), Method::DELETE, &path, None).await.status, 204);
    }

    /// Creates a config at a new customer.
    async fn connect(&self, key: &str, number: &str, account: &str, token: Option<&str>) -> Answer {
        let customer = json!({"customer": {"name": "C", "external_customer_id": uuid::Uuid::now_v7().to_string()}});
        let customer = self.post(key, "/api/v1/customers", customer).await.id();
        let config = json!({"name": "Line", "phone_number_id": number, "business_account_id": account,
            "webhook_verify_token": "token-of-the-owner", "access_token": token});
        let mut config = config;
        if token.is_none() {
            config.as_object_mut().unwrap().remove("access_token");
        }
        self.post(key, &format!("/api/v1/customers/{customer}/whatsapp_configs"), json!({"whatsapp_config": config}))
            .await
    }

    /// Creates a config with an agent that answers on it.
    async fn connect_agent(&self, key: &str, number: &str, account: &str, token: Option<&str>) -> String {
        let config = self.connect(key, number, account, token).await.id();
        self.link(key, &config).await;
        config
    }

    async fn link(&self, key: &str, config: &str) {
        let agent = self.post(key, "/api/v1/agents", json!({"agent": {"name": "Desk"}})).await.id();
        let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
        self.post(key, &format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    }

    /// Delivers a contact's message to the number, without running the workers.
    async fn deliver(&mut self, wamid: &str) {
        let at = self.app.clock.now().secs();
        self.deliver_at(wamid, at).await;
    }

    async fn deliver_at(&mut self, wamid: &str, at: i64) {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [{"field": "messages",
            "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER, "display_phone_number": "1"},
            "contacts": [{"profile": {"name": "Ana"}, "wa_id": "5511999990001"}],
            "messages": [{"from": "5511999990001", "id": wamid, "timestamp": at.to_string(), "type": "text",
                "text": {"body": wamid}}]}}]}]});
        let body = body.to_string();
        let header = signature::sign(&SecretString::from(emulator::APP_SECRET), body.as_bytes());
        let request = self.app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, header);
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
        self.sent += 1;
    }

    /// Delivers a message with a new id and runs the workers.
    async fn message(&mut self) {
        let wamid = format!("wamid.IN{}", self.sent);
        self.deliver(&wamid).await;
        self.app.run_until_idle().await;
    }

    async fn conversations(&self, key: &str) -> usize {
        let list = self.app.call_as(Some(key), Method::GET, "/api/v1/whatsapp_conversations", None).await;
        list.data().as_array().unwrap().len()
    }

    /// Ids of the contact's messages that a project has stored.
    async fn inbound(&self, key: &str) -> Vec<String> {
        let list = self.app.call_as(Some(key), Method::GET, "/api/v1/whatsapp_conversations", None).await;
        let mut texts = Vec::new();
        for conversation in list.data().as_array().unwrap() {
            let path =
                format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", conversation["id"].as_str().unwrap());
            let messages = self.app.call_as(Some(key), Method::GET, &path, None).await;
            let inbound = messages.data().as_array().unwrap().iter().filter(|one| one["direction"] == "inbound");
            texts.extend(inbound.map(|one| one["content"].as_str().unwrap().to_owned()));
        }
        texts.sort();
        texts
    }

    /// Messages sent at Meta.
    fn answers(&self) -> usize {
        let sends = |request: &testkit::Request| request.path.ends_with("/messages") && request.body["type"] == "text";
        self.meta.requests().iter().filter(|request| sends(request)).count()
    }

    async fn proof(&self, key: &str, id: &str) -> Value {
        let health =
            self.app.call_as(Some(key), Method::GET, &format!("/api/v1/whatsapp_configs/{id}/health"), None).await;
        health.body["checks"]["phone_number_access"]["details"]["proof"].clone()
    }
}

#[tokio::test]
async fn messages_before_the_proof_are_answered_once_after_it_even_through_a_crash() {
    let mut world = World::new().await;
    let key = world.app.key.clone();
    let config = world.connect_agent(&key, NUMBER, ACCOUNT, Some("EAAEXPIRED")).await;
    for wamid in ["wamid.1", "wamid.2", "wamid.1"] {
        world.deliver(wamid).await;
        world.app.run_until_idle().await;
    }
    assert_eq!((world.conversations(&key).await, world.answers()), (0, 0));
    assert_eq!(world.proof(&key, &config).await, "unproved");

    world.app.model().says("Both.");
    world.patch(&key, &config, json!({"access_token": OWNER})).await.data();
    // The proof is committed; the held messages are not processed yet.
    world.app = world.app.crash_and_restart().await;
    world.app.run_until_idle().await;
    assert_eq!((world.inbound(&key).await, world.answers()), (vec!["wamid.1".into(), "wamid.2".into()], 1));
    assert_eq!(world.proof(&key, &config).await, "proved");

    world.app = world.app.crash_and_restart().await;
    for wamid in ["wamid.1", "wamid.2"] {
        world.deliver(wamid).await;
    }
    world.app.forward(Span::from_hours(1)).await;
    assert_eq!((world.inbound(&key).await.len(), world.answers()), (2, 1));
}

#[tokio::test]
async fn proof_is_repeated_until_meta_answers_and_survives_a_crash() {
    let mut world = World::new().await;
    let key = world.app.key.clone();
    *world.down.lock().unwrap() = true;
    let config = world.connect_agent(&key, NUMBER, ACCOUNT, Some(OWNER)).await;
    world.message().await;
    assert_eq!(world.conversations(&key).await, 0);
    world.app.forward(Span::from_mins(10)).await;
    *world.down.lock().unwrap() = false;
    world.app = world.app.crash_and_restart().await;
    world.app.model().says("Here.");
    world.app.forward(Span::from_mins(22)).await;
    assert_eq!((world.proof(&key, &config).await, world.answers()), (json!("proved"), 1));
}

#[tokio::test]
async fn config_from_before_proofs_keeps_its_messages_until_its_check_is_refused() {
    let mut world = World::new().await;
    let key = world.app.key.clone();
    let config = world.connect(&key, NUMBER, ACCOUNT, Some(OWNER)).await.id();
    *world.down.lock().unwrap() = true;
    // As the migration leaves it: assumed, with a check that is due.
    world.patch(&key, &config, json!({"access_token": "EAAEXPIRED"})).await.data();
    assert_eq!(
        world.app.call_as(Some(&key), Method::GET, &format!("/api/v1/whatsapp_configs/{config}"), None).await.status,
        200
    );
    world.message().await;
    assert_eq!(world.inbound(&key).await.len(), 1, "it receives while Meta cannot be asked");
    *world.down.lock().unwrap() = false;
    world.app.forward(Span::from_mins(22)).await;
    assert_eq!(world.proof(&key, &config).await, "unproved");
    world.message().await;
    assert_eq!(world.inbound(&key).await.len(), 1);
    world.patch(&key, &config, json!({"access_token": AGENCY})).await.data();
    world.app.run_until_idle().await;
    assert_eq!(world.inbound(&key).await.len(), 2);
}

#[tokio::test]
async fn number_and_account_must_be_digits() {
    let world = World::new().await;
    let key = world.app.key.clone();
    for bad in
        ["0100000000000902", "+100000000000902", " 100000000000902", "1000000000009O2", "１００", "10\n", "../me"]
    {
        for (number, account, field) in [(bad, ACCOUNT, "phone_number_id"), (NUMBER, bad, "business_account_id")] {
            let answer = world.connect(&key, number, account, Some(OWNER)).await;
            let path = answer.body["details"][0]["path"].clone();
            assert_eq!((answer.status, path), (422, json!(format!("/whatsapp_config/{field}"))), "{bad:?}");
        }
    }
}

#[tokio::test]
async fn handshake_marks_one_project_and_guesses_are_slowed_down() {
    let world = World::new().await;
    let (key, squatter) = (world.app.key.clone(), world.squatter.clone());
    let mine = world.connect(&key, NUMBER, ACCOUNT, Some(OWNER)).await.id();
    let theirs = world.connect(&squatter, THEIR_NUMBER, ACCOUNT, Some(HALF)).await.id();
    let shake = async |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42");
        world.app.call_as(None, Method::GET, &format!("/webhooks/whatsapp?{query}"), None).await.status
    };
    let verified = async |key: &str, id: &str| {
        let config = world.app.call_as(Some(key), Method::GET, &format!("/api/v1/whatsapp_configs/{id}"), None).await;
        config.data()["webhook_verified_at"].is_string()
    };
    assert_eq!(shake("token-of-the-owner").await, 200);
    assert_eq!((verified(&key, &mine).await, verified(&squatter, &theirs).await), (true, false));
    let mut statuses = Vec::new();
    for guess in 0..21 {
        statuses.push(shake(&format!("guess{guess}")).await);
    }
    assert_eq!((statuses[19], statuses[20]), (403, 429));
    assert_eq!(shake("token-of-the-owner").await, 429, "or guessing could go on");
    world.app.clock.forward(Span::from_mins(1));
    assert_eq!(shake("token-of-the-owner").await, 200);
}

#[tokio::test]
async fn time_in_the_future_counts_as_now() {
    let mut world = World::new().await;
    let key = world.app.key.clone();
    world.connect(&key, NUMBER, ACCOUNT, Some(OWNER)).await.id();
    let now = world.app.clock.now();
    world.deliver_at("wamid.FUTURE", now.secs() + 90_000).await;
    world.app.run_until_idle().await;
    world.app.forward(Span::from_hours(25)).await;
    let conversation = world.app.conversation().await;
    let body = json!({"message": {"message_type": "text", "content": "late"}});
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let answer = world.app.post(&path, body).await;
    assert_eq!((answer.status, &answer.body["code"]), (422, &json!("outside_service_window")), "{}", answer.body);
}

/// The words of the states are stored, and shown by the health check.
#[test]
fn only_an_unproved_config_receives_nothing() {
    let receiving: Vec<&str> =
        NumberProof::ALL.iter().filter(|proof| proof.receives()).map(|proof| proof.as_str()).collect();
    assert_eq!(receiving, ["assumed", "proved"]);
}
