use emulator::ACCESS_TOKEN;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ANA, Answer, Harness, blank, fixture};

const WABA: &str = "/200000000000001/message_templates";

async fn create(harness: &Harness, name: &str, text: &str) -> Answer {
    let body = json!({"type": "BODY", "text": text, "example": {"body_text": [["x"]]}});
    let new = json!({"name": name, "language": "pt_BR", "category": "UTILITY", "components": [body]});
    harness.ask(Method::POST, WABA, ACCESS_TOKEN, Some(&new)).await
}

fn send(name: &str, texts: &[&str]) -> Value {
    let parameters: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
    let mut template = json!({"name": name, "language": {"code": "pt_BR"}});
    if !texts.is_empty() {
        template["components"] = json!([{"type": "body", "parameters": parameters}]);
    }
    json!({"messaging_product": "whatsapp", "to": ANA, "type": "template", "template": template})
}

#[tokio::test]
async fn template_is_created_approved_sent_and_deleted() {
    let harness = Harness::start().await;
    let answer = create(&harness, "ready", "Oi {{1}}, pode vir.").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let created = answer.json();
    assert_eq!((&created["status"], &created["category"]), (&json!("PENDING"), &json!("UTILITY")));
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(harness.send(&send("ready", &["Ana"])).await.code(), 132_001, "the template is still pending");
    harness.seconds(1).await;
    let webhook = harness.callback.received()[0].json()["entry"][0]["changes"][0].clone();
    let mut expected = fixture("ac-001-template-approved")["entry"][0]["changes"][0].clone();
    let mut shape = webhook.clone();
    for document in [&mut expected, &mut shape] {
        blank(document, &["message_template_id", "message_template_name"]);
    }
    assert_eq!(shape, expected);
    assert_eq!(webhook["value"]["message_template_id"].as_u64().unwrap().to_string(), id);
    harness.send(&send("ready", &["Ana"])).await.wamid();
    let twice = create(&harness, "ready", "Oi {{1}}, pode vir.").await;
    assert_eq!((twice.status, &twice.json()["error"]["error_subcode"]), (400, &json!(2_388_024)));
    let wrong = harness.send(&send("ready", &["Ana", "x"])).await;
    assert_eq!((wrong.status, wrong.code()), (400, 132_000));
    let gone = harness.ask(Method::DELETE, &format!("{WABA}?name=ready"), ACCESS_TOKEN, None).await;
    assert_eq!(gone.json(), json!({"success": true}));
    assert_eq!(harness.send(&send("ready", &["Ana"])).await.code(), 132_001);
    let again = harness.ask(Method::DELETE, &format!("{WABA}?name=ready"), ACCESS_TOKEN, None).await;
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn decision_sends_webhook_and_edit_restarts_review() {
    let harness = Harness::start().await;
    harness.put("/templates/approval", json!("manual")).await;
    let id = create(&harness, "ready", "Oi {{1}}, pode vir.").await.json()["id"].as_str().unwrap().to_owned();
    harness.seconds(60).await;
    assert!(harness.callback.received().is_empty());
    let decision = json!({"status": "REJECTED", "reason": "SCAM", "rejection_info": {"reason": "r"}});
    harness.post(&format!("/templates/{id}/decision"), decision).await;
    let webhook = harness.callback.received()[0].value();
    assert_eq!((&webhook["event"], &webhook["reason"]), (&json!("REJECTED"), &json!("SCAM")));
    let node = harness.read(&format!("/{id}")).await.json();
    assert_eq!((&node["status"], &node["rejected_reason"]), (&json!("REJECTED"), &json!("SCAM")));
    let edit = json!({"components": [{"type": "BODY", "text": "Pode vir."}]});
    let edited = harness.ask(Method::POST, &format!("/{id}"), ACCESS_TOKEN, Some(&edit)).await;
    assert_eq!(edited.json()["success"], true);
    harness.post(&format!("/templates/{id}/decision"), json!({"status": "APPROVED"})).await;
    harness.send(&send("ready", &[])).await.wamid();
    harness.post(&format!("/templates/{id}/decision"), json!({"status": "PAUSED"})).await;
    assert_eq!(harness.send(&send("ready", &[])).await.code(), 132_015);
    harness.ask(Method::POST, &format!("/{id}/unpause"), ACCESS_TOKEN, None).await;
    harness.send(&send("ready", &[])).await.wamid();
    harness.post(&format!("/templates/{id}/decision"), json!({"status": "DISABLED"})).await;
    assert_eq!(harness.send(&send("ready", &[])).await.code(), 132_016);
    assert_eq!(harness.post("/templates/1/decision", json!({"status": "APPROVED"})).await.status, 404);
}

#[tokio::test]
async fn template_is_rejected_by_its_text() {
    let harness = Harness::start().await;
    harness.put("/templates/approval", json!({"reject_if": "lottery"})).await;
    for (name, text, status) in
        [("good", "Your order is here.", "APPROVED"), ("bad", "Join the lottery now.", "REJECTED")]
    {
        let id = create(&harness, name, text).await.json()["id"].as_str().unwrap().to_owned();
        harness.seconds(1).await;
        assert_eq!(harness.read(&format!("/{id}?fields=status")).await.json(), json!({"id": id, "status": status}));
    }
}

#[tokio::test]
async fn templates_can_be_paged_and_filtered() {
    let harness = Harness::start().await;
    let all = harness.read(WABA).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
    };
    let everything = names(&all);
    assert!(all["paging"].get("next").is_none() && everything.len() > 5);
    let first = harness.read(&format!("{WABA}?limit=3")).await.json();
    assert!(first["paging"]["next"].is_string());
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let rest = harness.read(&format!("{WABA}?limit=100&after={after}")).await.json();
    assert_eq!([names(&first), names(&rest)].concat(), everything);
    let paused = harness.read(&format!("{WABA}?status=PAUSED&fields=name")).await.json();
    assert_eq!(names(&paused), ["promo_paused"]);
    assert!(paused["data"][0].get("components").is_none() && paused["data"][0]["id"].is_string());
    assert_eq!(names(&harness.read(&format!("{WABA}?name=order_update&language=pt_BR")).await.json()).len(), 2);
    let id = all["data"][0]["id"].as_str().unwrap();
    let one = harness.read(&format!("{WABA}/{id}")).await.json();
    assert_eq!(one, harness.read(&format!("/{id}")).await.json());
}

#[tokio::test]
async fn invalid_template_is_refused_before_review() {
    let harness = Harness::start().await;
    for (text, subcode) in [
        ("{{1}} is here.", Some(2_388_299)),
        ("Here is {{1}}", Some(2_388_299)),
        ("Here {{2}} is.", Some(2_388_293)),
        ("Here {{1}}{{2}} is.", Some(2_388_293)),
        ("", None),
    ] {
        let answer = create(&harness, "odd", text).await;
        assert_eq!((answer.status, answer.code()), (400, 100), "{text}");
        assert_eq!(answer.json()["error"]["error_subcode"].as_u64(), subcode, "{text}");
    }
    assert_eq!(create(&harness, "odd", &"x".repeat(1_025)).await.json()["error"]["error_subcode"], 2_388_040);
    for (name, language, category, components) in [
        ("Bad Name", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "", "UTILITY", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "pt_BR", "OTHER", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "pt_BR", "UTILITY", json!([])),
        ("ok", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "a {{1}} b"}])),
        ("ok", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "x"}, {"type": "HEADER", "format": "IMAGE"}])),
    ] {
        let new = json!({"name": name, "language": language, "category": category, "components": components});
        let answer = harness.ask(Method::POST, WABA, ACCESS_TOKEN, Some(&new)).await;
        assert_eq!(answer.status, 400, "{new}");
        assert!(answer.json()["error"]["error_user_msg"].is_string(), "{new}");
    }
}

#[tokio::test]
async fn send_must_match_its_template() {
    let harness = Harness::start().await;
    for name in ["er-006-132000-count", "er-007-132001-not-found", "er-008-132015-paused", "er-020-131062-bsuid-auth"] {
        let example = fixture(name);
        let answer = harness.send(&example["request"]["json"]).await;
        let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
        blank(&mut body, &["fbtrace_id"]);
        blank(&mut expected, &["fbtrace_id"]);
        assert_eq!((json!(answer.status), body), (example["response"]["status"].clone(), expected), "{name}");
    }
    let named = |names: [&str; 2]| {
        let parameters = names.map(|name| json!({"type": "text", "parameter_name": name, "text": "x"}));
        json!({"messaging_product": "whatsapp", "to": ANA, "type": "template", "template":
            {"name": "order_update_named", "language": {"code": "pt_BR"},
             "components": [{"type": "BODY", "parameters": parameters}]}})
    };
    harness.send(&named(["order_id", "customer_name"])).await.wamid();
    assert_eq!(harness.send(&named(["order_id", "customer"])).await.code(), 132_012);
    assert_eq!(harness.send(&send("order_update", &["a\nb", "x"])).await.code(), 132_018);
    assert_eq!(harness.send(&send("order_update", &[&"x".repeat(1_000), "x"])).await.code(), 132_005);
    let mut promo = fixture("ex-024-template-media-buttons")["request"]["json"].clone();
    promo["template"]["components"][0]["parameters"][0] =
        json!({"type": "video", "video": {"link": "https://a.example/v"}});
    assert_eq!(harness.send(&promo).await.code(), 132_012);
}

#[tokio::test]
async fn template_is_delivered_and_rendered_outside_the_window() {
    let harness = Harness::start().await;
    harness.send(&send("order_update", &["Ana", "A-17"])).await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
    let pricing = harness.callback.received()[0].value()["statuses"][0]["pricing"]["category"].clone();
    assert_eq!(pricing, "utility");
    let shown = harness.chat("ana").await["messages"][0]["content"]["rendered"]["body"].clone();
    assert_eq!(shown, "Oi Ana, o pedido A-17 saiu para entrega hoje.");
}

#[tokio::test]
async fn marketing_template_fails_for_contact_who_opted_out() {
    let harness = Harness::start().await;
    harness.put("/users/ana", json!({"marketing": "out"})).await;
    harness.send(&fixture("ex-024-template-media-buttons")["request"]["json"]).await.wamid();
    harness.seconds(1).await;
    let status = harness.callback.received()[0].value()["statuses"][0].clone();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_050)));
}
