//! Every failure of a send and its statuses at Meta (docs/spec/reliability.md 15, faults 14 to 17)
//! and its result: for replies that are repeated if unconfirmed, and for messages that only a
//! person may repeat.
//!
//! A client-side time-out counts as an unknown result, like a cut connection
//! (`gateways/tests/it/graph.rs`).

use domain::{
    Id, Span,
    message::{Direction, MessageOrigin},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::{
    conversations, messages,
    outbox::{self, Policy},
    transact,
};
use testkit::{ANA, TestApp};

/// Final state of one message.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Send requests received by WhatsApp.
    requests: usize,
    /// Copies on the phone.
    shown: usize,
    /// Message status in the API.
    status: String,
    /// State of the outbox entry.
    outbox: String,
}

fn end(requests: usize, shown: usize, status: &str, outbox: &str) -> End {
    End { requests, shown, status: status.into(), outbox: outbox.into() }
}

/// One request, one message on the phone.
fn once() -> End {
    end(1, 1, "delivered", "accepted")
}

struct Fault {
    name: &'static str,
    rules: Vec<Value>,
    /// Result for a message that is repeated.
    retry: End,
    /// Result for a message that only a person may repeat.
    surface: End,
}

/// Rule for the next send.
fn send(action: Value) -> Value {
    json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": action})
}

/// Rule for webhooks with this status, or with any.
fn status(which: &str, action: Value) -> Value {
    let event = if which.is_empty() { "status".into() } else { format!("status:{which}") };
    json!({"when": {"surface": "webhook", "event": event}, "do": action})
}

#[rustfmt::skip]
fn faults() -> Vec<Fault> {
    let repeated = || end(2, 1, "delivered", "accepted");
    let early = || status("", json!({"status_before_response": {"ms": 0}}));
    let only_sent = || end(1, 1, "sent", "accepted");
    let unconfirmed = |shown| end(1, shown, "pending", "unconfirmed");
    vec![
        // Fault 14: accepted, but the response is lost.
        Fault { name: "accepted, the answer is lost", rules: vec![send(json!("accept_then_drop"))], retry: once(), surface: once() },
        Fault { name: "accepted, the answer and all statuses are lost",
            rules: vec![send(json!("accept_then_drop")), json!({"when": {"surface": "webhook", "event": "status"}, "trigger": {"next": 2}, "do": "lose"})],
            // The only window in which a message may be duplicated (G3).
            retry: end(2, 2, "delivered", "accepted"), surface: unconfirmed(1) },
        Fault { name: "not accepted, the connection is cut", rules: vec![send(json!("drop"))], retry: repeated(), surface: unconfirmed(0) },
        Fault { name: "not accepted, the call hangs until the connection is cut", rules: vec![send(json!({"hang": {"ms": 5_000}}))], retry: repeated(), surface: unconfirmed(0) },
        Fault { name: "accepted, the answer is late", rules: vec![send(json!({"slow": {"ms": 5_000}}))], retry: once(), surface: once() },
        // Fault 15: status 500.
        Fault { name: "500 before the acceptance", rules: vec![send(json!({"error": "server_500"}))], retry: repeated(), surface: unconfirmed(0) },
        Fault { name: "500 after the acceptance", rules: vec![send(json!({"accept_then_error": "server_500"}))], retry: once(), surface: once() },
        Fault { name: "a page of HTML with 502 after the acceptance", rules: vec![send(json!({"accept_then_error": "html_502"}))], retry: once(), surface: once() },
        // Fault 16: the status arrives before the response.
        Fault { name: "the status comes before the answer", rules: vec![early()], retry: once(), surface: once() },
        Fault { name: "the only status comes, and then no answer",
            rules: vec![early(), status("delivered", json!("lose")), send(json!("accept_then_drop"))], retry: only_sent(), surface: only_sent() },
        Fault { name: "the only status comes, and then 500",
            rules: vec![early(), status("delivered", json!("lose")), send(json!({"accept_then_error": "server_500"}))], retry: only_sent(), surface: only_sent() },
        // Fault 17: statuses reordered, repeated and late.
        Fault { name: "statuses reversed", rules: vec![status("", json!("reverse_statuses"))], retry: once(), surface: once() },
        Fault { name: "each status five times at once", rules: vec![status("", json!({"duplicate": {"n": 5, "gap_ms": 0}}))], retry: once(), surface: once() },
        Fault { name: "`sent` an hour late", rules: vec![status("sent", json!({"delay": {"ms": 3_600_000}}))], retry: once(), surface: once() },
        Fault { name: "`delivered` an hour late", rules: vec![status("delivered", json!({"delay": {"ms": 3_600_000}}))], retry: once(), surface: once() },
        Fault { name: "all statuses an hour late", rules: vec![status("", json!({"delay": {"ms": 3_600_000}}))], retry: once(), surface: once() },
        Fault { name: "accepted, the answer is lost and the statuses come an hour late",
            rules: vec![send(json!("accept_then_drop")), status("", json!({"delay": {"ms": 3_600_000}}))],
            retry: end(2, 2, "delivered", "accepted"), surface: end(1, 1, "delivered", "unconfirmed") },
    ]
}

#[tokio::test]
async fn every_send_fault_ends_by_its_policy() {
    let mut wrong = Vec::new();
    for fault in faults() {
        for (policy, expected) in [(Policy::Retry, &fault.retry), (Policy::Surface, &fault.surface)] {
            let seen = play(&fault.rules, policy).await;
            if seen != *expected {
                wrong.push(format!("{} ({policy:?})\n  seen     {seen:?}\n  expected {expected:?}", fault.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn late_status_of_a_repeated_send_counts_as_a_duplicate() {
    let doubled = async |app: &TestApp| {
        let text = app.metrics().await;
        let count = text.lines().find_map(|line| line.strip_prefix("chasqui_outbound_duplicates_total "));
        count.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let app = talking().await;
    let before = doubled(&app).await;
    for rule in [send(json!("accept_then_drop")), status("", json!({"delay": {"ms": 3_600_000}}))] {
        app.emulator_call(Method::POST, "/faults", Some(rule)).await;
    }
    say(&app, Policy::Retry).await;
    wait(&app).await;
    assert!(doubled(&app).await > before);
}

async fn talking() -> TestApp {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.forward(Span::from_secs(2)).await;
    app
}

async fn play(rules: &[Value], policy: Policy) -> End {
    let app = talking().await;
    for rule in rules {
        app.emulator_call(Method::POST, "/faults", Some(rule.clone())).await;
    }
    let id = say(&app, policy).await;
    wait(&app).await;
    let log = app.emulator_call(Method::GET, "/requests?path=/messages", None).await;
    let requests = log["requests"].as_array().unwrap();
    let mut reader = app.app.context().store.read().await.unwrap();
    let row = outbox::find(&mut reader.conn(), app.project, id).await.unwrap().unwrap();
    End {
        requests: requests.iter().filter(|request| request["body"]["text"]["body"] == TEXT).count(),
        shown: app.received_texts(ANA).await.iter().filter(|text| *text == TEXT).count(),
        status: app.messages().await.pop().unwrap()["status"].as_str().unwrap().to_owned(),
        outbox: row.state.to_string(),
    }
}

const TEXT: &str = "Only once, please.";

/// Puts a message from a person into the outbox of the only conversation.
async fn say(app: &TestApp, policy: Policy) -> domain::ids::OutboxId {
    let ctx = app.app.context();
    let conversation: domain::ids::ConversationId =
        app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().parse().unwrap();
    let (message, id) = (ctx.new_id(), ctx.new_id());
    let payload = json!({"wa_id": ANA.trim_start_matches('+'), "user_id": null, "text": TEXT}).to_string();
    let stored = transact!(ctx.store, "test.say", tx => {
        let now = ctx.now();
        let row = conversations::find(tx, app.project, conversation).await?.unwrap();
        let next = conversations::next_out(tx, app.project, conversation, now).await?.unwrap();
        let new = messages::NewMessage {
            id: message, seq: next.next_seq, direction: Direction::Outbound, origin: MessageOrigin::Api, author: None, kind: "text", content: TEXT, raw: None, wamid: None,
            wa_timestamp: None, execution: None, now,
        };
        messages::insert(tx, app.project, conversation, &new).await?;
        let new = outbox::NewOutbox {
            id,
            conversation,
            out_seq: next.next_out_seq,
            source_key: "test",
            message,
            waiting: None,
            phone_number_id: &row.phone_number_id,
            payload: &payload,
            policy,
            patience: Span::from_mins(15),
            not_before: now,
            now,
        };
        outbox::insert(tx, app.project, &new).await
    });
    stored.unwrap();
    Id::from_uuid(id.uuid())
}

/// Advances one minute in small steps, then more than an hour. A call held open by WhatsApp ends as
/// its clock advances.
async fn wait(app: &TestApp) {
    let sending = app.run_until_idle();
    let clock = async {
        // By then the send is at WhatsApp or settled.
        testkit::until(|| async {
            let log = app.emulator_call(Method::GET, "/requests?path=/messages", None).await;
            log["requests"].as_array().unwrap().iter().any(|request| request["body"]["text"]["body"] == TEXT)
        })
        .await;
        app.clock.forward(Span::from_secs(5));
        app.emulator.advance(5_000).await;
    };
    tokio::join!(sending, clock);
    for seconds in [1, 1, 10, 10, 10, 10, 3_600, 60] {
        app.forward(Span::from_secs(seconds)).await;
    }
}

#[tokio::test]
async fn template_with_unknown_result_is_not_repeated_and_api_text_is_retried_until_the_window_closes() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let say = async |message: Value| app.post(&path, json!({ "message": message })).await.id();
    let shown = async || app.chat(ANA).await.iter().filter(|message| message["direction"] == "out").count();
    let before = shown().await;
    let fault = async |rule: Value| app.emulator_call(Method::POST, "/faults", Some(rule)).await;
    fault(send(json!("drop"))).await;
    let template = say(json!({"message_type": "template", "template_name": "hello_world"})).await;
    app.run_until_idle().await;
    app.forward(Span::from_mins(30)).await;
    let status = async |id: &str| {
        let list = app.get(&path).await;
        list.data().as_array().unwrap().iter().find(|message| message["id"] == *id).unwrap()["status"].clone()
    };
    assert_eq!(
        (status(&template).await, shown().await),
        (json!("pending"), before),
        "unconfirmed, and a repeat costs money"
    );
    // Definite refusals for an hour, much longer than an agent's retries.
    let from = app.clock.now().micros() / 1_000;
    let rule = json!({"when": {"surface": "send"}, "trigger": {"between": [from, from + 3_600_000]}, "do": {"error": "throughput"}});
    fault(rule).await;
    let text = say(json!({"content": "late, and not lost"})).await;
    for _ in 0..35 {
        app.forward(Span::from_mins(2)).await;
    }
    assert_eq!((status(&text).await, shown().await), (json!("delivered"), before + 1));
}
