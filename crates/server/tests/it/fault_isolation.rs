//! A failing conversation, timer, job or node must not block the others.

use domain::{Id, Span, execution::TimerKind, job::JobKind};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    Tx, contacts, conversations,
    jobs::{self, NewJob},
    mailbox,
    timers::{self, TimerRow},
    transact,
};
use testkit::{ANA, TestApp, database::TestDatabase};

async fn within(seconds: u64, condition: impl AsyncFn() -> bool) -> bool {
    for _ in 0..seconds * 20 {
        if condition().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// A sandbox session for Ana, with background workers.
async fn app_with_workers() -> TestApp {
    let app = TestApp::with(true, |config| config.run_workers = true).await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let body = json!({"whatsapp_sandbox_session": {"phone_number": ANA, "agent_id": agent}});
    let session = app.post("/api/v1/sandbox_sessions", body).await;
    app.contact_sends(ANA, session.data()["activation_code"].as_str().unwrap()).await;
    assert!(within(10, async || !app.chat(ANA).await.iter().filter(|m| m["direction"] == "out").count().eq(&0)).await);
    app
}

/// A failed step releases its conversation, and a worker claims it again.
#[tokio::test]
async fn failed_turn_is_retried() {
    let app = app_with_workers().await;
    app.model().says_when_released("to one");
    app.model().says("to one, again");
    app.contact_sends(ANA, "one").await;
    app.model().received(1).await;
    let id = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().parse().unwrap();
    let ctx = app.app.context();
    let unreadable =
        mailbox::MailRow { seq: 999, input_key: "x".into(), body: r#"{"input":"from_the_future"}"#.into() };
    transact!(ctx.store, "test.poison", tx => mailbox::put(tx, app.project, id, &unreadable).await).unwrap();
    app.model().release();
    testkit::until(|| async {
        let mut reader = ctx.store.read().await.unwrap();
        let row = conversations::find(&mut reader.conn(), app.project, id).await.unwrap().unwrap();
        row.due_at.is_some_and(|due| due > ctx.now())
    })
    .await;
    transact!(ctx.store, "test.cure", tx => mailbox::take(tx, app.project, id).await).unwrap();
    app.clock.forward(Span::from_secs(31));
    assert!(within(10, async || app.received_texts(ANA).await == ["to one, again"]).await);
}

/// A stopping node does not wait for the model: it releases the turn, and another node repeats the
/// call.
#[tokio::test]
async fn stopping_node_releases_its_turns_at_once() {
    let app = app_with_workers().await;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "hello").await;
    app.model().received(1).await;
    let id = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().parse().unwrap();
    let ctx = app.app.context();
    let free = async || {
        let claim = transact!(ctx.store, "test.claim", tx => conversations::claim_if_free(tx, app.project, id, "another").await);
        claim.unwrap()
    };
    assert!(free().await.is_none(), "the turn is under way");
    ctx.stopping.cancel();
    let began = std::time::Instant::now();
    let mut taken = None;
    while taken.is_none() && began.elapsed() < Duration::from_secs(5) {
        taken = free().await;
    }
    let row = taken.expect("the conversation is free");
    assert!(row.due_at.is_some_and(|due| due <= ctx.now()), "and due, so that another node claims it");
    app.model().release();
}

/// 64 conversations with unreadable input, as written by a newer version, are first in the queue.
#[tokio::test]
async fn unreadable_conversations_do_not_block_others() {
    let app = app_with_workers().await;
    let ctx = app.app.context();
    for number in 0..64u32 {
        transact!(ctx.store, "review.poison", tx => {
            let now = ctx.now();
            let row = bare_conversation(&app, tx).await?;
            let mail = mailbox::MailRow { seq: row.next_seq, input_key: format!("x{number}"), body: r#"{"input":"from_the_future"}"#.into() };
            mailbox::put(tx, app.project, row.id, &mail).await?;
            conversations::wake(tx, app.project, row.id, now - Span::from_secs(60), None).await
        })
        .unwrap();
    }
    app.model().says("hello");
    app.contact_sends(ANA, "anybody?").await;
    assert!(
        within(10, async || !app.received_texts(ANA).await.is_empty()).await,
        "the healthy conversation is blocked"
    );
}

/// More failing timers than one scan returns: the mailbox position of each is already used.
#[tokio::test]
async fn failing_timers_do_not_block_others() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "closing"}, {"from": "closing", "to": "__end__", "label": "goodbye"}]});
    let agent = app.agent(json!({"name": "Closing", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Anything else?");
    app.contact_sends(ANA, "thanks").await;
    app.run_until_idle().await;
    let ctx = app.app.context();
    for _ in 0..65 {
        transact!(ctx.store, "test.poison", tx => {
            let conversation = bare_conversation(&app, tx).await?;
            let next = mailbox::MailRow { seq: conversation.next_seq + 1, input_key: "x".into(), body: String::new() };
            mailbox::put(tx, app.project, conversation.id, &next).await?;
            let (kind, execution_id) = (TimerKind::WarmEnd, ctx.new_id());
            let timer = TimerRow { kind, conversation_id: conversation.id, execution_id, generation: 1 };
            timers::set(tx, app.project, &timer, ctx.now()).await
        })
        .unwrap();
    }
    app.clock.forward(Span::from_mins(5));
    app.run_until_idle().await;
    let execution = app.execution(&agent).await;
    assert_eq!((&execution["status"], &execution["end_reason"]), (&json!("ended"), &json!("warm_end_timeout")));
}

/// More unreadable jobs than one scan returns.
#[tokio::test]
async fn failing_jobs_do_not_block_others() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let session = app.activate(ANA, &agent).await;
    let ctx = app.app.context();
    for number in 0..65 {
        let (kind, key, now) = (JobKind::SandboxSessionExpire, format!("x{number}"), ctx.now());
        let job = NewJob { id: ctx.new_uuid(), kind, key: &key, payload: "nonsense", run_at: now };
        transact!(ctx.store, "test.poison", tx => {
            let mut scope = tx.scope(app.project, now);
            if number % 2 == 0 { jobs::put_unknown(&mut scope, job).await } else { jobs::put(&mut scope, job).await }
        })
        .unwrap();
    }
    app.clock.forward(Span::from_hours(24));
    app.run_until_idle().await;
    let session = app.get(&format!("/api/v1/sandbox_sessions/{session}")).await;
    assert_eq!(session.data()["status"], "expired");
}

async fn bare_conversation(app: &TestApp, tx: &mut Tx<'_>) -> store::Result<conversations::ConversationRow> {
    let (ctx, now) = (app.app.context(), app.app.context().now());
    let contact = contacts::ensure(tx, app.project, &[], ctx.new_id(), &contacts::Seen::default(), now).await?;
    let touch = conversations::Touch {
        new_id: ctx.new_id(),
        phone_number_id: "poison",
        contact,
        config: None,
        phone_number: None,
        contact_name: None,
        agent: None,
        inbound_at: None,
        now,
    };
    conversations::touch(tx, app.project, &touch).await
}

/// PostgreSQL text cannot hold NUL, but a model may write one.
#[tokio::test]
async fn nul_from_a_model_does_not_block_the_conversation() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("zero: \u{0}.");
    app.contact_sends(ANA, "hi").await;
    let context = app.app.context().clone();
    loop {
        match runtime::workers::step(&context).await {
            Ok(runtime::workers::Did::Nothing) => break,
            Ok(runtime::workers::Did::Something) => {}
            Err(error) => panic!("the turn fails each time: {error}"),
        }
    }
    assert_eq!(app.execution(&agent).await["status"], "paused");
}

/// A PostgreSQL index row holds about 2,700 bytes.
#[tokio::test]
async fn webhook_item_with_a_huge_id_does_not_block_its_siblings() {
    use gateways::whatsapp::signature;
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cloud-api/in-001-text.json");
    let mut delivery: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let messages = delivery["entry"][0]["changes"][0]["value"]["messages"].as_array_mut().unwrap();
    let mut huge = messages[0].clone();
    // Random, so PostgreSQL cannot compress it.
    let mut state = 7u64;
    let id: String = (0..9_000)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            char::from(b'A' + (state >> 33) as u8 % 58)
        })
        .filter(|c| c.is_alphanumeric())
        .collect();
    huge["id"] = json!(format!("wamid.{id}"));
    messages.push(huge);
    let body = delivery.to_string().into_bytes();
    let signature = signature::sign(&secrecy::SecretString::from(emulator::APP_SECRET), &body);
    let answer = app
        .request(Method::POST, "/webhooks/whatsapp")
        .header(signature::HEADER, signature)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "Meta would redeliver the same body for days");
}

pub(crate) fn config_on(url: &store::DatabaseUrl, folder: &std::path::Path) -> server::Config {
    let settings = [
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("server.data_dir", folder.display().to_string()),
        ("llm.provider", "Rehearsal".to_owned()),
    ];
    let values = server::config::collect(None, &|_| None, &settings).unwrap();
    let mut config = server::Config::read(&values, &|_| None, rehearsal::provider()).unwrap();
    config.database = url.clone();
    config.operations_listen = None;
    config.run_workers = false;
    config.ollama = gateways::llm::config::OllamaProbe::Off;
    config
}

/// The lock is in the data folder, but the database file may be elsewhere.
#[tokio::test]
async fn second_server_on_the_same_sqlite_file_is_refused() {
    let database = TestDatabase::sqlite().await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = server::build(config_on(&database.url, one.path())).await.unwrap();
    let second = server::build(config_on(&database.url, two.path())).await;
    assert!(second.is_err(), "the second one has voided all leases of the first");
    first.shutdown().await;
}

#[tokio::test]
async fn concurrent_changes_of_different_fields_are_both_kept() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let path = format!("/api/v1/agents/{agent}");
    for round in 0..40 {
        let (name, text) = (format!("n{round}"), format!("d{round}"));
        let (a, b) = tokio::join!(
            app.patch(&path, json!({"agent": {"name": name}})),
            app.patch(&path, json!({"agent": {"description": text}}))
        );
        assert_eq!((a.status, b.status), (200, 200));
        let row = app.get(&path).await;
        assert_eq!(
            (row.data()["name"].as_str(), row.data()["description"].as_str()),
            (Some(name.as_str()), Some(text.as_str())),
            "round {round}"
        );
    }
}

/// Clients may send any method name, and each would add a set of time series.
#[tokio::test]
async fn unknown_http_methods_add_no_metric_series() {
    let app = TestApp::start().await;
    for number in 0..50 {
        let method = Method::from_bytes(format!("INVENTED{number}").as_bytes()).unwrap();
        app.request(method, "/nowhere").send().await.unwrap();
    }
    let text = app.metrics().await;
    let lines = text.lines().filter(|line| line.contains("INVENTED")).count();
    assert_eq!(lines, 0, "log lines are never released");
    let _: Id<()> = app.app.context().new_id();
}

/// The engine runs inside the transactions of ingest and of settling a send. Input that it cannot
/// read must not undo what WhatsApp reported.
#[tokio::test]
async fn unreadable_input_does_not_block_webhooks_or_repeat_sends() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.forward(Span::from_secs(60)).await;
    app.emulator_call(
        Method::POST,
        "/faults",
        Some(json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "accept_then_drop"})),
    )
    .await;
    app.model().says("only once");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let ctx = app.app.context();
    let id: domain::ids::ConversationId =
        app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().parse().unwrap();
    transact!(ctx.store, "review.poison", tx => {
        let mail = mailbox::MailRow { seq: 999, input_key: "x".into(), body: r#"{"input":"from_the_future"}"#.into() };
        mailbox::put(tx, app.project, id, &mail).await
    })
    .unwrap();
    for _ in 0..300 {
        app.clock.forward(Span::from_secs(1));
        app.emulator.advance(1_000).await;
        app.emulator.quiesce(Duration::from_millis(200)).await;
        while let Ok(runtime::workers::Did::Something) = runtime::workers::step(ctx).await {}
    }
    assert_eq!(app.received_texts(ANA).await, ["only once"]);
}
