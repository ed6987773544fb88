//! Any execution can be fed to the engine again from its journal.

use domain::{Span, ids::ExecutionId};
use serde_json::json;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn a_replay_counts_what_it_compared_and_needs_neither_model_nor_clock() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("hello");
    app.says(ANA, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_hours(2)).await;
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    let replay = app.app.operator().replay(id).await.unwrap();
    assert_eq!(replay.difference, None);
    // Claim, answer, settled reply; a question, a send and a timer.
    assert_eq!((replay.steps, replay.effects), (3, 3));
    assert_eq!(app.model().requests().len(), 1, "the model was not asked again");
}

#[tokio::test]
async fn one_changed_byte_of_a_stored_outcome_is_found() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("hello");
    app.says(ANA, "hi").await;
    app.run_until_idle().await;
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    app.damage_journal(id, "hello", "hellO").await;
    let replay = app.app.operator().replay(id).await.unwrap();
    let difference = replay.difference.expect("a difference");
    assert_eq!((difference.step_no, difference.what), (2, "effects"));
    assert!(difference.stored.contains("hello") && difference.replayed.contains("hellO"));
    app.damage_journal(id, "hellO", "hello").await;
}
