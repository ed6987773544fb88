use serde_json::{Value, json};

use crate::harness::{ANA, Bench, text_to};

/// A conversation with a bit of everything that takes ids, and everything that can be seen of it.
async fn conversation(seed: u64) -> (Vec<Vec<u8>>, Vec<Value>) {
    let bench = Bench::seeded(seed).await;
    run(&bench).await;
    seen(&bench).await
}

async fn run(bench: &Bench) {
    bench.put("/users/ana", json!({"auto_read_ms": 500})).await;
    bench.says("ana", "Olá").await;
    bench.says("+44 1632 960001", "somebody new").await;
    bench.fault(json!({"surface": "send"}), json!({"probability": 0.5}), json!({"error": "server_500"})).await;
    for n in 0..6 {
        bench.send(&text_to(ANA, &format!("answer {n}"))).await;
        bench.seconds(7).await;
    }
    bench.text("caro", "x").await;
    bench.text("15559998888", "no account").await;
    bench.seconds(60).await;
}

async fn seen(bench: &Bench) -> (Vec<Vec<u8>>, Vec<Value>) {
    let bodies = bench.callback.received().iter().map(|r| r.body.to_vec()).collect();
    let chats = vec![bench.chat("ana").await, bench.chat("441632960001").await, bench.chat("15559998888").await];
    (bodies, chats)
}

/// The same without what a seed decides.
fn statuses(bodies: &[Vec<u8>]) -> usize {
    bodies.iter().filter(|body| body.windows(10).any(|w| w == b"\"statuses\"")).count()
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_bytes_and_another_seed_other_ids() {
    let first = conversation(7).await;
    assert_eq!(first, conversation(7).await);
    assert!(first.0.len() > 5 && statuses(&first.0) > 3);
    let other = conversation(8).await;
    assert_ne!(first.0[0], other.0[0]);
    assert_ne!(first.1[0]["messages"][0]["id"], other.1[0]["messages"][0]["id"]);
    assert_eq!(first.1[0]["messages"][0]["content"], other.1[0]["messages"][0]["content"]);
}

#[tokio::test]
async fn a_reset_repeats_the_run_and_may_change_the_seed() {
    let bench = Bench::seeded(7).await;
    run(&bench).await;
    let first = seen(&bench).await;
    for (seed, same) in [(7, true), (9, false)] {
        bench.callback.forget();
        assert_eq!(bench.post("/reset", json!({"seed": seed})).await.json()["seed"], seed);
        run(&bench).await;
        assert_eq!(seen(&bench).await == first, same);
    }
}
