//! Every step of a turn is one commit (design.md §3).

use serde_json::json;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn a_plain_turn_is_five_commits_from_webhook_to_settled_reply() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    for text in ["first", "second"] {
        app.take_commits();
        app.model().says("Yes.");
        app.says(ANA, text).await;
        app.run_until_idle().await;
        assert_eq!(app.execution(&agent).await["status"], "paused");
        // The webhook; claim, input and the question to the model; its answer and the outbox row; the attempt before its
        // request; the settled reply, with which the turn rests.
        assert_eq!(app.take_commits(), ["ingest", "turn.claim", "turn.step", "outbox.attempt", "outbox.settle"]);
    }
}
