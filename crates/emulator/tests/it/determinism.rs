use serde_json::{Value, json};

use crate::harness::{ANA, Harness, text_to};

/// Runs a conversation that uses all kinds of ids. Returns webhook bodies and chats.
async fn conversation(seed: u64) -> (Vec<Vec<u8>>, Vec<Value>) {
    let harness = Harness::seeded(seed).await;
    run(&harness).await;
    seen(&harness).await
}

async fn run(harness: &Harness) {
    harness.put("/users/ana", json!({"auto_read_ms": 500})).await;
    harness.contact_sends("ana", "Olá").await;
    harness.contact_sends("+44 1632 960001", "new contact").await;
    harness.fault(json!({"surface": "send"}), json!({"probability": 0.5}), json!({"error": "server_500"})).await;
    for n in 0..6 {
        harness.send(&text_to(ANA, &format!("answer {n}"))).await;
        harness.seconds(7).await;
    }
    harness.text("caro", "x").await;
    harness.text("15559998888", "no account").await;
    harness.seconds(60).await;
}

async fn seen(harness: &Harness) -> (Vec<Vec<u8>>, Vec<Value>) {
    let bodies = harness.callback.received().iter().map(|r| r.body.to_vec()).collect();
    let chats = vec![harness.chat("ana").await, harness.chat("441632960001").await, harness.chat("15559998888").await];
    (bodies, chats)
}

/// Number of status webhooks.
fn statuses(bodies: &[Vec<u8>]) -> usize {
    bodies.iter().filter(|body| body.windows(10).any(|w| w == b"\"statuses\"")).count()
}

#[tokio::test]
async fn same_seed_and_calls_give_same_bytes() {
    let first = conversation(7).await;
    assert_eq!(first, conversation(7).await);
    assert!(first.0.len() > 5 && statuses(&first.0) > 3);
    let other = conversation(8).await;
    assert_ne!(first.0[0], other.0[0]);
    assert_ne!(first.1[0]["messages"][0]["id"], other.1[0]["messages"][0]["id"]);
    assert_eq!(first.1[0]["messages"][0]["content"], other.1[0]["messages"][0]["content"]);
}

#[tokio::test]
async fn reset_repeats_the_run_with_the_same_or_another_seed() {
    let harness = Harness::seeded(7).await;
    run(&harness).await;
    let first = seen(&harness).await;
    for (seed, same) in [(7, true), (9, false)] {
        harness.callback.forget();
        assert_eq!(harness.post("/reset", json!({"seed": seed})).await.json()["seed"], seed);
        run(&harness).await;
        assert_eq!(seen(&harness).await == first, same);
    }
}
