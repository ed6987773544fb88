//! Events of an execution as a list and as a stream.

use serde_json::{Value, json};
use testkit::{ANA, TestApp};

async fn talked(app: &TestApp) -> (String, String) {
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Yes?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    (agent, execution)
}

/// Events of a finished stream: (id, name, data).
async fn stream(app: &TestApp, path: &str, after: Option<&str>) -> Vec<(u64, String, Value)> {
    let mut request = app.request(reqwest::Method::GET, path).header("accept", "text/event-stream");
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let answer = request.send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = answer.text().await.unwrap();
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    let blocks = text.split("\n\n").filter(|block| block.contains("data:"));
    blocks
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data:")).unwrap();
            (field(block, "id:").parse().unwrap(), field(block, "event:"), data)
        })
        .collect()
}

#[tokio::test]
async fn execution_events_are_paged_in_order_without_gaps() {
    let app = TestApp::start().await;
    let (agent, execution) = talked(&app).await;
    let path = format!("/api/v1/agents/{agent}/executions/{execution}/events");
    let all = app.get(&format!("{path}?per_page=100")).await;
    let events = all.data().as_array().unwrap().clone();
    let names: Vec<&str> = events.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["execution.created", "turn.started", "execution.status"]);
    assert_eq!(names[names.len() - 2..], ["execution.status", "turn.finished"]);
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["seq"].as_u64(), Some(place as u64 + 1));
        assert!(event["at"].as_str().unwrap().ends_with('Z'));
    }
    let sent = events.iter().find(|event| event["name"] == "message.sent").unwrap();
    assert_eq!(sent["data"]["text"], "Yes?");
    let page = app.get(&format!("{path}?per_page=5&page=2")).await;
    assert_eq!(page.data().as_array().unwrap()[..], events[5..10]);
    assert_eq!(page.body["meta"]["total_count"].as_u64(), Some(events.len() as u64), "{}", page.body["meta"]);
    let beyond = app.get(&format!("{path}?per_page=5&page=50")).await;
    assert_eq!(beyond.data(), &json!([]));
}

#[tokio::test]
async fn event_stream_sends_each_event_once_and_resumes_after_last_event_id() {
    let app = TestApp::start().await;
    let (agent, execution) = talked(&app).await;
    let path = format!("/api/v1/agents/{agent}/executions/{execution}/events");
    let body = json!({"agent_execution": {"status": "ended"}});
    let one = format!("/api/v1/agents/{agent}/executions/{execution}");
    assert_eq!(app.call(reqwest::Method::PUT, &one, Some(body)).await.status, 200);
    app.run_until_idle().await;
    let listed = app.get(&format!("{path}?per_page=100")).await;
    let listed: Vec<Value> = listed.data().as_array().unwrap().clone();
    let all = stream(&app, &path, None).await;
    let data: Vec<Value> = all.iter().map(|(_, _, data)| data.clone()).collect();
    assert_eq!(data, listed);
    assert_eq!(
        all.last().map(|(_, name, data)| (name.as_str(), &data["data"]["to"])),
        Some(("execution.status", &json!("ended")))
    );
    let later = stream(&app, &path, Some("7")).await;
    assert_eq!(later, all[7..]);
    assert_eq!(stream(&app, &path, Some("9999")).await, []);
}

#[tokio::test]
async fn events_of_another_agents_execution_are_not_found() {
    let app = TestApp::start().await;
    let (_, execution) = talked(&app).await;
    let other = app.agent(json!({"name": "Other"})).await;
    let answer = app.get(&format!("/api/v1/agents/{other}/executions/{execution}/events")).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn key_may_open_five_event_streams() {
    let app = TestApp::start().await;
    let (agent, execution) = talked(&app).await;
    let path = format!("/api/v1/agents/{agent}/executions/{execution}/events");
    let follow =
        async || app.request(reqwest::Method::GET, &path).header("accept", "text/event-stream").send().await.unwrap();
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(follow().await);
    }
    let refused = follow().await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "too_many_streams");
    assert_eq!(app.get(&path).await.status, 200, "a plain list is no stream");
    open.pop();
    testkit::until(|| async { follow().await.status() == 200 }).await;
}

#[tokio::test]
async fn resumed_stream_does_not_read_the_journal_from_its_start() {
    let app = TestApp::start().await;
    let (agent, execution) = talked(&app).await;
    for round in 0..12 {
        app.model().says("And?");
        app.contact_sends(ANA, &format!("more {round}")).await;
        app.run_until_idle().await;
    }
    let one = format!("/api/v1/agents/{agent}/executions/{execution}");
    let body = json!({"agent_execution": {"status": "ended"}});
    assert_eq!(app.call(reqwest::Method::PUT, &one, Some(body)).await.status, 200);
    app.run_until_idle().await;
    let path = format!("{one}/events");
    let all = stream(&app, &path, None).await;
    assert!(all.len() > 60, "{}", all.len());
    for after in 0..all.len() {
        assert_eq!(stream(&app, &path, Some(&after.to_string())).await, all[after..], "after {after}");
    }
    let (store, id) = (&app.app.context().store, execution.parse().unwrap());
    let damaged =
        store::transact!(store, "test.damage", tx => store::journal::damage_events(tx, app.project, id, 2).await);
    assert_eq!(damaged.unwrap(), 1);
    assert!(stream(&app, &path, None).await.len() < all.len(), "reading from the start meets the damage");
    let place = all.len() - 3;
    assert_eq!(stream(&app, &path, Some(&place.to_string())).await, all[place..]);
    let last_page = app.get(&format!("{path}?per_page=5&page={}", all.len() / 5)).await;
    assert_eq!(last_page.data().as_array().unwrap().len(), 5);
}
