//! Replays of executions from the journal.

use domain::{Span, ids::ExecutionId};
use serde_json::json;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn replay_counts_its_comparisons_without_model_or_clock() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("hello");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_hours(2)).await;
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    let replay = app.app.operator().replay(id).await.unwrap();
    assert_eq!(replay.difference, None);
    // Steps: claim, answer, settled send. Effects: model call, send, timer.
    assert_eq!((replay.steps, replay.effects), (3, 3));
    assert_eq!(app.model().requests().len(), 1, "the model was not asked again");
}

#[tokio::test]
async fn replay_detects_one_changed_byte_of_an_outcome() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("hello");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    app.damage_journal(id, "hello", "hellO").await;
    let replay = app.app.operator().replay(id).await.unwrap();
    let difference = replay.difference.expect("a difference");
    assert_eq!((difference.step_no, difference.what), (2, "effects"));
    assert!(difference.stored.contains("hello") && difference.replayed.contains("hellO"));
    app.damage_journal(id, "hellO", "hello").await;
}
