//! Every step of a turn is one commit.

use serde_json::json;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn plain_turn_takes_five_commits() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    for text in ["first", "second"] {
        app.take_commits();
        app.model().says("Yes.");
        app.contact_sends(ANA, text).await;
        app.run_until_idle().await;
        assert_eq!(app.execution(&agent).await["status"], "paused");
        // 1 webhook; 2 claim, input and model request; 3 model answer and outbox entry; 4 send
        // attempt; 5 settled send, with which the turn ends.
        assert_eq!(app.take_commits(), ["ingest", "turn.claim", "turn.step", "outbox.attempt", "outbox.settle"]);
    }
}
