//! Invalid input gets an error of the common shape and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

fn assert_error_shape(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = &answer.body;
    assert!(body["error"].is_string() && body["message"].is_string() && body["details"].is_array(), "{body}");
    assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some(code), Some(u64::from(status))), "{body}");
    assert_eq!(body["request_id"].as_str(), Some(answer.headers["x-request-id"].as_str()));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(body["errors"].is_object(), status == 422, "{body}");
}

#[tokio::test]
async fn missing_wrapper_and_invalid_json_are_malformed() {
    let app = TestApp::start().await;
    for body in [json!({}), json!({"name": "x"}), json!({"agent": null}), json!({"agent": {}}), json!({"agent": "x"})] {
        let answer = app.post("/api/v1/agents", body).await;
        assert_error_shape(&answer, 400, "malformed");
        assert_eq!(answer.body["message"], "Parameter agent is required");
    }
    for broken in ["{", "[]", "\"agent\"", "{\"agent\": {\"name\": }}"] {
        let answer = app
            .request(Method::POST, "/api/v1/agents")
            .header("content-type", "application/json")
            .body(broken)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{broken}");
    }
    let form = app
        .request(Method::POST, "/api/v1/agents")
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), 415);
    assert_error_shape(&app.call(Method::DELETE, "/api/v1/agents", None).await, 405, "method_not_allowed");
    assert_error_shape(&app.get("/api/v2/agents").await, 404, "no_route");
}

#[tokio::test]
async fn graph_with_six_errors_reports_all_six_with_json_pointers() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [
            {"id": "s", "name": "__start__", "type": "DefaultNode"},
            {"id": "a", "name": "refund", "type": "DefaultNode"},
            {"id": "b", "name": "two words", "type": "DefaultNode"},
            {"id": "c", "name": "mail", "type": "MailNode"},
            {"id": "d", "name": "lookup", "type": "WebhookNode", "webhook": {"url": "ftp://example.com"}},
            {"id": "g", "name": "help", "type": "DefaultNode", "global": true},
            {"id": "e", "name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "s", "to": "a"}, {"from": "a", "to": "refnd", "label": "x"}, {"from": "e", "to": "a"}]});
    let refused = app.post("/api/v1/agents", json!({"agent": {"name": "Broken", "graph": graph}})).await;
    assert_error_shape(&refused, 422, "validation_failed");
    let details = refused.body["details"].as_array().unwrap();
    let at = |path: &str| {
        details
            .iter()
            .find(|detail| detail["path"].as_str().unwrap().starts_with(path))
            .unwrap_or_else(|| panic!("{path}: {details:#?}"))
    };
    for path in [
        "/agent/graph/nodes/2/name",
        "/agent/graph/nodes/3/type",
        "/agent/graph/nodes/4/webhook/url",
        "/agent/graph/nodes/5/global",
        "/agent/graph/edges/1/to",
        "/agent/graph/edges/2",
    ] {
        at(path);
    }
    assert!(at("/agent/graph/edges/1/to")["message"].as_str().unwrap().contains("did you mean 'refund'?"));
    assert!(refused.body["errors"]["graph.edges.1.to"].is_array(), "{}", refused.body["errors"]);
    assert_eq!(app.get("/api/v1/agents").await.data(), &json!([]), "nothing was saved");
}

#[tokio::test]
async fn graph_of_13_mebibytes_is_too_large() {
    let app = TestApp::start().await;
    let agent = json!({"agent": {"name": "Huge", "graph": {"nodes": [], "edges": [], "metadata": {"x": "y".repeat(13 * 1024 * 1024)}}}});
    assert_error_shape(&app.post("/api/v1/agents", agent).await, 413, "too_large");
    let agent = app.agent(json!({"name": "Small"})).await;
    let message = json!({"message": "x".repeat(2 * 1024 * 1024)});
    assert_error_shape(&app.post(&format!("/api/v1/agents/{agent}/executions"), message).await, 413, "too_large");
}

#[tokio::test]
async fn body_without_content_length_is_limited_too() {
    let app = TestApp::start().await;
    let pieces = futures::stream::iter((0..14).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024 * 1024])));
    let request = app.request(Method::POST, "/api/v1/agents").header("content-type", "application/json");
    let answer = request.body(reqwest::Body::wrap_stream(pieces)).send().await;
    // The server may close the connection during the upload; that is a refusal too.
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 413));
    assert_eq!(app.get("/api/v1/agents").await.status, 200);
}

#[tokio::test]
async fn invalid_values_are_reported_together_and_unknown_keys_ignored() {
    let app = TestApp::start().await;
    let wrong = app
        .post("/api/v1/agents", json!({"agent": {"name": " ", "system_prompt": 5, "message_debounce_seconds": 61}}))
        .await;
    assert_error_shape(&wrong, 422, "validation_failed");
    let fields: Vec<&String> = wrong.body["errors"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["name", "system_prompt", "message_debounce_seconds"]);
    assert_eq!(wrong.body["errors"]["name"], json!(["can't be blank"]));
    assert_eq!(app.post("/api/v1/agents", json!({"agent": {"name": "Fine", "colour": "blue"}})).await.status, 201);
    let nul = app.post("/api/v1/agents", json!({"agent": {"name": "a\u{0}b"}})).await;
    assert_error_shape(&nul, 400, "malformed");
}

#[tokio::test]
async fn agent_graph_round_trips_unchanged() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"id": "s", "name": "__start__", "type": "DefaultNode", "prompt": ""},
            {"id": "a", "name": "talk", "type": "DefaultNode", "prompt": "Hi.", "colour": "blue", "position": {"x": 1, "y": 2}},
            {"id": "e", "name": "__end__", "type": "DefaultNode", "prompt": ""}],
        "edges": [{"id": "e1", "from": "s", "to": "a"}, {"id": "e2", "from": "a", "to": "e", "label": "done", "conditions": {}}],
        "metadata": {"zoom": 2}});
    let agent = app.agent(json!({"name": "Full", "description": "About", "system_prompt": "Be kind.", "message_debounce_seconds": 3, "graph": graph})).await;
    let plain = app.get(&format!("/api/v1/agents/{agent}/graph")).await;
    let whole = plain.data();
    assert_eq!(
        (whole["name"].as_str(), whole["system_prompt"].as_str(), whole["message_debounce_seconds"].as_i64()),
        (Some("Full"), Some("Be kind."), Some(3))
    );
    assert!(whole.get("description").is_none(), "published clients fail on this field");
    let node = &whole["graph"]["nodes"][1];
    assert_eq!((node["colour"].as_str(), node["position"]["y"].as_i64()), (Some("blue"), Some(2)));
    assert_eq!(whole["graph"]["metadata"], json!({"zoom": 2}));
    let described = app.get(&format!("/api/v1/agents/{agent}/graph?include=description")).await;
    assert_eq!(described.data()["description"], "About");
    let patched = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"system_prompt": null}})).await;
    assert_eq!(patched.data()["name"], "Full");
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["system_prompt"], Value::Null);
}

#[tokio::test]
async fn new_agent_has_the_starter_graph() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "New"})).await;
    let graph = app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["graph"].clone();
    let names: Vec<&str> =
        graph["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["__start__", "assistant", "__end__"]);
}

#[tokio::test]
async fn local_process_mcp_server_is_refused_on_save() {
    let app = TestApp::start().await;
    for (server, field) in [
        (json!({"name": "shop", "url": "https://shop.example/mcp", "command": "rm"}), "command"),
        (json!({"name": "shop", "url": "https://shop.example/mcp", "transport_kind": "stdio"}), "transport_kind"),
        (json!({"name": "shop", "url": "file:///etc/passwd"}), "url"),
    ] {
        let graph = json!({
            "nodes": [{"name": "__start__", "type": "DefaultNode"},
                {"name": "faq", "type": "SubagentNode", "subagent": {"mcp_servers": [server]}},
                {"name": "__end__", "type": "DefaultNode"}],
            "edges": [{"from": "__start__", "to": "faq"}, {"from": "faq", "to": "__end__", "label": "done"}]});
        let refused = app.post("/api/v1/agents", json!({"agent": {"name": "Local", "graph": graph}})).await;
        assert_error_shape(&refused, 422, "validation_failed");
        let path = format!("/agent/graph/nodes/1/subagent/mcp_servers/0/{field}");
        assert_eq!(refused.body["details"][0]["path"], path, "{}", refused.body);
    }
}

/// Quadratic comparison once blocked the server for minutes on a body of one mebibyte.
#[tokio::test]
async fn only_the_first_of_90000_invalid_values_are_reported() {
    let app = TestApp::start().await;
    let rows = json!({"title": "x", "rows": vec![json!(1); 10_000]});
    let message = json!({"phone_number": "+5511999990001", "message_type": "interactive", "content": "?",
        "sections": vec![rows; 9]});
    let refused = app.post("/api/v1/whatsapp_messages", json!({ "message": message })).await;
    assert_error_shape(&refused, 422, "validation_failed");
    assert_eq!(refused.body["message"], "200 problems; nothing was saved");
    let graph = json!({"nodes": [{"id": "a", "tool_ids": vec![json!(1); 10_000]}], "edges": []});
    let refused = app.post("/api/v1/agents", json!({"agent": {"name": "Large", "graph": graph}})).await;
    assert_error_shape(&refused, 422, "validation_failed");
}

#[tokio::test]
async fn token_limit_beyond_the_maximum_is_refused() {
    let app = TestApp::start().await;
    for wrong in ["1e20", "18446744073709551616", "9007199254740993"] {
        let body = format!(r#"{{"agent": {{"name": "Desk", "limits": {{"token_budget": {wrong}}}}}}}"#);
        let headers = [("content-type", "application/json")];
        let refused = app.call_raw(&headers, Method::POST, "/api/v1/agents", Some(body)).await;
        assert_error_shape(&refused, 422, "validation_failed");
        assert_eq!(refused.body["details"][0]["path"], "/agent/limits/token_budget", "{}", refused.body);
    }
}

#[tokio::test]
async fn integer_written_as_2_0_is_accepted_and_other_numbers_keep_their_spelling() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "agent_version": 1})).await;
    let body = r#"{"agent": {"agent_version": 2.0, "message_debounce_seconds": 1e1}}"#.to_owned();
    let headers = [("content-type", "application/json")];
    let answer = app.call_raw(&headers, Method::PATCH, &format!("/api/v1/agents/{agent}"), Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let whole = app.get(&format!("/api/v1/agents/{agent}/graph")).await;
    assert_eq!(whole.data()["message_debounce_seconds"], 10);
    let half = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"agent_version": 1.5}})).await;
    assert_eq!((half.status, half.body["details"][0]["code"].as_str()), (422, Some("wrong_type")));
    let contact = json!({"contact": {"wa_id": "5511987650001", "metadata": {"score": 2.0}}});
    let contact = app.post("/api/v1/whatsapp_contacts", contact).await;
    assert_eq!(contact.data()["metadata"]["score"].to_string(), "2.0");
}
