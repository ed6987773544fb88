//! Projects share the turns, sends and test runs of a node: work of one does not make another wait.

use domain::{
    Span,
    ids::ProjectId,
    job::JobKind,
    message::{Direction, MessageOrigin},
};
use reqwest::Method;
use runtime::workers;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use store::{
    contacts, conversations,
    jobs::{self, NewJob},
    messages, outbox, transact,
};
use testkit::{OTHER_NUMBER_ID, OWN_NUMBER_ID, ScriptedModel, Service, TestApp};

/// The promise: another project's turn starts within this time.
const SOON: Duration = Duration::from_secs(1);

/// Less than the 30 seconds after which a webhook is given up and its slot is free for another.
const ALL_WAIT: Duration = Duration::from_secs(25);

/// Calls the webhook if the agent has one, then says hello. Sends a message first if the contact asks
/// for one.
fn model_answer(request: &Value) -> Value {
    let has_webhook = request["tools"].to_string().contains("slow_request");
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let called = messages.iter().any(|message| message["tool_calls"].to_string().contains("slow_request"));
    if !has_webhook || called {
        return json!({"role": "assistant", "content": "hello"});
    }
    let call = |name: &str, arguments: Value| json!({"id": name, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}});
    let mut calls = vec![call("slow_request", json!({}))];
    if messages.iter().any(|message| message["role"] == "user" && message["content"].to_string().contains("notify")) {
        calls.insert(0, call("send_notification_to_user", json!({"message": "One moment."})));
    }
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}

fn graph(node: Value) -> Value {
    json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"}, node, {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "__end__", "label": "done"}]})
}

/// Two projects, each with a number and an agent. The webhook of the first one's agent never
/// answers.
struct World {
    app: TestApp,
    model: ScriptedModel,
    slow: Service,
}

impl World {
    async fn new(change: impl FnOnce(&mut server::Config)) -> Self {
        let model = ScriptedModel::with_responder(model_answer).await;
        let slow = Service::start(|_| json!({"hold": true})).await;
        let url = model.base_url();
        let app = TestApp::with(true, |config| {
            config.llm.base_url = Some(url);
            config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()];
            config.run_workers = true;
            change(config);
        })
        .await;
        let other = app.app.operator().create_project_with("Other", &Default::default()).await.unwrap();
        let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
        let slow_node = json!({"name": "talk", "type": "SubagentNode", "prompt": "Look it up.",
            "subagent": {"webhooks": [{"name": "slow", "description": "Looks it up", "url": slow.url(), "http_method": "GET"}]}});
        let plain_node = json!({"name": "talk", "type": "SubagentNode", "prompt": "Talk.", "subagent": {}});
        for (key, number, node) in [(&app.key, OWN_NUMBER_ID, slow_node), (&key, OTHER_NUMBER_ID, plain_node)] {
            let post =
                async |path: &str, body: Value| app.call_as(Some(key), Method::POST, path, Some(body)).await.id();
            let agent = json!({"agent": {"name": "Clinic", "graph": graph(node)}});
            let agent = post("/api/v1/agents", agent).await;
            let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "clinic"}});
            let customer = post("/api/v1/customers", customer).await;
            let config = json!({"whatsapp_config": {"name": "Line", "phone_number_id": number,
                "business_account_id": emulator::WABA_ID, "webhook_verify_token": "own",
                "access_token": emulator::ACCESS_TOKEN}});
            let config = post(&format!("/api/v1/customers/{customer}/whatsapp_configs"), config).await;
            let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config, "is_primary": true}});
            post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await;
        }
        Self { app, model, slow }
    }

    /// A message of the contact with this number.
    async fn writes(&self, to: &str, contact: u32, text: &str) {
        let message = json!({"phone_number_id": to, "from": format!("+551199{contact:07}"), "text": text});
        self.app.emulator_call(Method::POST, "/inbound", Some(message)).await;
    }

    /// Model requests of the second project, whose agent has no webhook.
    fn turns_of_the_other(&self) -> usize {
        let has_slow = |request: &Value| request["tools"].to_string().contains("slow_request");
        self.model.requests().iter().filter(|request| !has_slow(request)).count()
    }

    /// Time from a message to the second project until its turn asks the model.
    async fn start_of_a_turn(&self, contact: u32) -> Duration {
        let before = self.turns_of_the_other();
        let began = Instant::now();
        self.writes(OTHER_NUMBER_ID, contact, "hi").await;
        while self.turns_of_the_other() == before && began.elapsed() < 10 * SOON {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}

/// Three hundred contacts of one project wait for webhooks that give no answer. More of its
/// messages arrive while contacts of another project write.
async fn others_start_soon(text: &str) {
    let world = World::new(|_| {}).await;
    for contact in 0..300 {
        world.writes(OWN_NUMBER_ID, contact, text).await;
    }
    testkit::until(|| async { world.slow.requests().len() >= 50 }).await;
    let mut starts = Vec::new();
    for contact in 0..40 {
        world.writes(OWN_NUMBER_ID, 1_000 + contact, text).await;
        starts.push(world.start_of_a_turn(500 + contact).await);
    }
    starts.sort();
    eprintln!("starts of another project's turns: median {:?}, slowest {:?}", starts[20], starts[39]);
    assert!(starts[39] < SOON, "{starts:?}");
    let chat = async || world.app.chat_with(OTHER_NUMBER_ID, "5511990000539").await.len();
    testkit::until(|| async { chat().await > 1 }).await;
    let received: Vec<Instant> = world.slow.requests().iter().map(|request| request.received).collect();
    let waiting = |at: Instant| received.iter().filter(|other| **other >= at && **other - at < ALL_WAIT).count();
    let most = received.iter().map(|at| waiting(*at)).max();
    assert!(most <= Some(50), "the project's own limit: {most:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_webhooks_of_a_project_do_not_delay_turns_of_another() {
    others_start_soon("hi").await;
}

/// A turn continues after each of its sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_webhooks_after_a_send_hold_no_slot_of_sends() {
    others_start_soon("hi, and notify me").await;
}

/// A due turn, a due send and a due test run of a project.
async fn work_due(app: &TestApp, project: ProjectId, number: usize, age: Span) {
    let (ctx, now) = (app.app.context(), app.app.context().now());
    let at = now - age;
    transact!(ctx.store, "test.due", tx => {
        let contact = contacts::ensure(tx, project, &[], ctx.new_id(), &contacts::Seen::default(), now).await?;
        let touch = conversations::Touch {
            new_id: ctx.new_id(),
            phone_number_id: "1",
            contact,
            config: None,
            phone_number: None,
            contact_name: None,
            agent: None,
            inbound_at: None,
            now,
        };
        let conversation = conversations::touch(tx, project, &touch).await?.id;
        conversations::wake(tx, project, conversation, at, None).await?;
        let row = conversations::next_seq(tx, project, conversation, now).await?.expect("a conversation");
        let message = ctx.new_id();
        let new = messages::NewMessage {
            id: message,
            seq: row.next_seq,
            direction: Direction::Outbound,
            origin: MessageOrigin::Contact,
            author: None,
            kind: "text",
            content: "hello",
            raw: None,
            wamid: None,
            wa_timestamp: None,
            execution: None,
            now,
        };
        messages::insert(tx, project, conversation, &new).await?;
        let next = conversations::next_out(tx, project, conversation, now).await?.expect("a conversation");
        let key = message.to_string();
        let entry = outbox::NewOutbox {
            id: ctx.new_id(),
            conversation,
            out_seq: next.next_out_seq,
            source_key: &key,
            message,
            waiting: None,
            phone_number_id: "1",
            payload: "{}",
            policy: outbox::Policy::Retry,
            patience: Span::from_mins(15),
            not_before: at,
            now,
        };
        outbox::insert(tx, project, &entry).await?;
        let key = format!("run {number}");
        let job = NewJob { id: ctx.new_uuid(), kind: JobKind::TestRun, key: &key, payload: &key, run_at: at };
        jobs::put(&mut tx.scope(project, now), job).await
    })
    .unwrap();
}

/// More is due than one query reads, and all of it for longer than the work of the others.
#[tokio::test]
async fn backlog_of_a_project_hides_no_work_of_another() {
    let app = TestApp::start().await;
    for number in 0..150 {
        work_due(&app, app.project, number, Span::from_mins(10)).await;
    }
    let mut others = Vec::new();
    for name in ["One", "Two", "Three"] {
        let project = app.app.operator().create_project_with(name, &Default::default()).await.unwrap();
        for number in 0..3 {
            work_due(&app, project, number, Span::from_secs(1)).await;
        }
        others.push(project);
    }
    let due = workers::find_due(app.app.context()).await.unwrap();
    let of = |project: ProjectId| {
        [
            due.turns.iter().filter(|row| row.project_id == project).count(),
            due.sends.iter().filter(|row| row.project_id == project).count(),
            due.test_runs.iter().filter(|row| row.project_id == project).count(),
        ]
    };
    for project in others {
        assert_eq!(of(project), [3, 3, 3]);
    }
    let [turns, sends, test_runs] = of(app.project);
    assert!(turns > 0 && sends > 0 && test_runs > 0, "the project itself is served as well");
    assert!(turns <= 50 && sends <= 64 && test_runs <= 16, "within its limits: {turns} {sends} {test_runs}");
    assert!(due.left_over && due.again);
}
