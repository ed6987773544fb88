//! Quarantine of a restored database, on either engine: nothing that was open is done again, and
//! the next message continues the execution.

use domain::Span;
use runtime::quarantine::{self, Quarantined};
use serde_json::json;
use testkit::{ANA, TestApp};

async fn quarantine(app: &TestApp) -> Quarantined {
    quarantine::run(&app.app.context().store, app.clock.now()).await.unwrap()
}

async fn talking() -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

#[tokio::test]
async fn queued_send_is_unconfirmed_and_the_next_message_continues() {
    let (app, agent) = talking().await;
    let refused = json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": "throughput"}});
    app.emulator_call(reqwest::Method::POST, "/faults", Some(refused)).await;
    app.model().says("perhaps sent");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "running", "the send is queued again");

    assert_eq!(quarantine(&app).await, Quarantined { sends: 1, conversations: 0 });
    app.forward(Span::from_mins(10)).await;
    assert_eq!(app.received_texts(ANA).await, [""; 0], "the original may have sent it");
    assert_eq!(quarantine(&app).await, Quarantined::default(), "it may be repeated");

    app.model().says("here again");
    app.contact_sends(ANA, "still there?").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["here again"]);
    assert_eq!(app.execution(&agent).await["status"], "paused");
}

#[tokio::test]
async fn due_turn_waits_for_the_next_message_and_answers_once() {
    let (app, agent) = talking().await;
    app.model().says("first");
    app.contact_sends(ANA, "one").await;
    app.run_until_idle().await;
    // In the mailbox and due, not started.
    app.contact_sends(ANA, "two").await;
    app.clock.forward(Span::from_secs(30));

    assert_eq!(quarantine(&app).await, Quarantined { sends: 0, conversations: 1 });
    app.forward(Span::from_hours(20)).await;
    assert_eq!(app.received_texts(ANA).await, ["first"], "the original may have answered");

    app.model().says("third");
    app.contact_sends(ANA, "three").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["first", "third"]);
    assert!(app.model().last_texts("user").iter().any(|text| text.contains("two")), "the unread message is read too");
    assert_eq!(app.execution(&agent).await["status"], "paused");
}
