//! Knowledge bases: stored, returned and searched; their text appears only in search results.

use domain::ids::ExecutionId;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

const FAQ: &str = "# Hours\nOpen at nine.\n\n# Refunds\nWe refund within 30 days.";

/// Graph: start → k, a KnowledgeBaseNode with this text → end.
fn graph(text: &str) -> Value {
    json!({
        "nodes": [{"name": "__start__"},
            {"name": "k", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": text, "nodeable_id": "7"}},
            {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "k"}, {"from": "k", "to": "__end__", "label": "done"}]})
}

fn searches(app: &TestApp, query: &str) {
    app.model().calls(&[("kb_retrieval", json!({"queries": [query], "knowledge_base_key": "kb_k"}))]);
}

async fn execution(app: &TestApp, agent: &str) -> ExecutionId {
    app.execution(agent).await["id"].as_str().unwrap().parse().unwrap()
}

/// A long text with this in its middle, too long to be returned whole.
fn long(middle: &str, bytes: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= bytes / 2 {
            break;
        }
        text.push_str(&format!(
            "Item {number} is kept on shelf {} and is counted on day {}. ",
            number % 31,
            number % 7
        ));
    }
    format!("{text}\n\n{middle}\n\n{text}")
}

#[tokio::test]
async fn knowledge_base_is_stored_returned_and_searched() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Shop", "graph": graph(FAQ)})).await;
    let given = app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["graph"]["nodes"][1].clone();
    assert_eq!(given["type"], "KnowledgeBaseNode");
    assert_eq!(given["knowledge_base"], json!({"knowledge_base_text": FAQ, "nodeable_id": "7"}));
    app.activate(ANA, &agent).await;
    searches(&app, "refund");
    app.model().says("Within 30 days.");
    app.contact_sends(ANA, "Can I bring it back?").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Within 30 days.");
    let read: Value = serde_json::from_str(app.model().last_texts("tool").last().unwrap()).unwrap();
    assert_eq!(read, json!({"results": [FAQ]}));
}

#[tokio::test]
async fn replay_uses_the_recorded_search_results() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Shop", "graph": graph(FAQ)})).await;
    app.activate(ANA, &agent).await;
    searches(&app, "refund");
    app.model().says("Within 30 days.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let id = execution(&app, &agent).await;
    assert_eq!(app.app.operator().replay(id).await.unwrap().difference, None);
    // The snapshot's text is unchanged; only the journal shows the longer result.
    app.damage_journal(id, "We refund within", "We refund it all within").await;
    let difference = app.app.operator().replay(id).await.unwrap().difference.expect("a difference");
    assert_eq!(difference.what, "events", "{difference:?}");
    app.damage_journal(id, "We refund it all within", "We refund within").await;
}

#[tokio::test]
async fn search_results_limit_the_text_shown_and_journaled() {
    let app = TestApp::start().await;
    let text = format!("{}\n\nNobody asks for 4711.", long("We refund within 30 days.", 60_000));
    let agent = app.agent(json!({"name": "Shop", "graph": graph(&text)})).await;
    app.activate(ANA, &agent).await;
    searches(&app, "refund");
    app.model().says("Within 30 days.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let id = execution(&app, &agent).await;
    let history = json!(app.history(id).await).to_string();
    assert!(history.contains("We refund within 30 days.") && !history.contains("4711"));
    assert!(!json!(app.model().requests()).to_string().contains("4711"));
    for path in [format!("/{id}"), String::new(), format!("/{id}/events")] {
        let shown = app.get(&format!("/api/v1/agents/{agent}/executions{path}")).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.body.to_string().contains("4711"), "{path}: {}", shown.body);
    }
    let stored = app.stored_texts().await;
    assert!(stored.iter().any(|text| text.contains("We refund within 30 days.")), "the stored rows were read");
    assert!(!stored.iter().any(|text| text.contains("4711")));
}

#[tokio::test]
async fn search_interrupted_by_a_crash_is_repeated() {
    let app = std::sync::Arc::new(TestApp::start().await);
    let agent = app.agent(json!({"name": "Shop", "graph": graph(&long("We refund within 30 days.", 4 << 20))})).await;
    app.activate(ANA, &agent).await;
    searches(&app, "refund");
    app.model().says("Within 30 days.");
    app.contact_sends(ANA, "hi").await;
    let turn = tokio::spawn({
        let app = app.clone();
        async move { app.run_until_idle().await }
    });
    testkit::until(|| async {
        let execution = app.execution(&agent).await;
        let Some(id) = execution["id"].as_str() else { return false };
        app.events(id.parse().unwrap()).await.iter().any(|event| event.name == "tool.called")
    })
    .await;
    turn.abort();
    assert!(turn.await.unwrap_err().is_cancelled(), "the search finished too early for this case");
    let app = std::sync::Arc::into_inner(app).unwrap().crash_and_restart().await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.iter().filter(|text| *text == "Within 30 days.").count(), 1);
    let events = app.events(execution(&app, &agent).await).await;
    let searched = events.iter().filter(|event| event.name == "tool.called" && event.data["name"] == "kb_retrieval");
    let answered = events.iter().filter(|event| event.name == "tool.result");
    assert_eq!((searched.count(), answered.count()), (1, 1), "one request, one answer");
    assert!(app.model().last_texts("tool").last().unwrap().contains("We refund within 30 days."));
}

#[tokio::test]
async fn text_of_five_mebibytes_is_accepted_and_a_longer_one_refused() {
    let app = TestApp::start().await;
    let five = 5 << 20;
    let agent = app.agent(json!({"name": "Long", "graph": graph(&"é".repeat(five / 2))})).await;
    let given = app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["graph"]["nodes"][1].clone();
    assert_eq!(given["knowledge_base"]["knowledge_base_text"].as_str().unwrap().len(), five);
    let refused =
        app.post("/api/v1/agents", json!({"agent": {"name": "Longer", "graph": graph(&"a".repeat(five + 1))}})).await;
    assert_eq!(refused.status, 422);
    let problem = &refused.body["details"][0];
    assert_eq!(problem["path"], "/agent/graph/nodes/1/knowledge_base/knowledge_base_text");
    assert_eq!(problem["code"], "knowledge_too_long");
}

#[tokio::test]
async fn missing_file_and_duplicate_key_are_refused() {
    let app = TestApp::start().await;
    let mut file = graph(FAQ);
    file["nodes"][1]["knowledge_base"] = json!({"knowledge_base_file": "faq.md"});
    let bases = json!([{"name": "faq", "knowledge_base_text": "a"}, {"name": "more", "key": "Faq", "knowledge_base_text": "b"}]);
    let mut twice = graph(FAQ);
    twice["nodes"][1] = json!({"name": "k", "type": "SubagentNode", "subagent": {"knowledge_bases": bases}});
    for (graph, path, code) in [
        (file, "knowledge_base/knowledge_base_file", "file_not_inlined"),
        (twice, "subagent/knowledge_bases/1/key", "duplicate_key"),
    ] {
        let refused = app.post("/api/v1/agents", json!({"agent": {"name": "Shop", "graph": graph}})).await;
        assert_eq!(refused.status, 422);
        let problem = &refused.body["details"][0];
        assert_eq!(problem["path"], format!("/agent/graph/nodes/1/{path}"));
        assert_eq!(problem["code"], code);
    }
}

#[tokio::test]
async fn text_with_unusual_characters_is_stored_and_searched() {
    let app = TestApp::start().await;
    let odd = "ab \u{202e}c \u{feff}d 🦜 \\ \" </x>\u{1b}[0m\r\n字";
    let agent = app.agent(json!({"name": "Odd", "graph": graph(odd)})).await;
    let given = app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["graph"]["nodes"][1].clone();
    assert_eq!(given["knowledge_base"]["knowledge_base_text"], odd);
    app.activate(ANA, &agent).await;
    searches(&app, "🦜");
    app.model().says("Yes.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Yes.");
    let read: Value = serde_json::from_str(app.model().last_texts("tool").last().unwrap()).unwrap();
    assert_eq!(read, json!({"results": ["ab \u{202e}c \u{feff}d 🦜 \\ \" </x>[0m\n字"]}));
}

#[tokio::test]
async fn test_chat_searches_knowledge_like_a_conversation() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Shop", "graph": graph(FAQ)})).await;
    searches(&app, "refund");
    app.model().says("Within 30 days.");
    app.post(&format!("/api/v1/agents/{agent}/test_chats"), json!({"message": "refund?"})).await.id();
    app.run_until_idle().await;
    assert!(app.model().last_texts("tool").last().unwrap().contains("We refund within 30 days."));
}
