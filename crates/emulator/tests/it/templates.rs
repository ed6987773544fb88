use emulator::ACCESS_TOKEN;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ANA, Answer, Bench, blank, fixture};

const WABA: &str = "/200000000000001/message_templates";

async fn create(bench: &Bench, name: &str, text: &str) -> Answer {
    let body = json!({"type": "BODY", "text": text, "example": {"body_text": [["x"]]}});
    let new = json!({"name": name, "language": "pt_BR", "category": "UTILITY", "components": [body]});
    bench.ask(Method::POST, WABA, ACCESS_TOKEN, Some(&new)).await
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
async fn a_template_lives_from_its_creation_to_its_end() {
    let bench = Bench::start().await;
    let answer = create(&bench, "ready", "Oi {{1}}, pode vir.").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let created = answer.json();
    assert_eq!((&created["status"], &created["category"]), (&json!("PENDING"), &json!("UTILITY")));
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.send(&send("ready", &["Ana"])).await.code(), 132_001, "nobody has looked at it");
    bench.seconds(1).await;
    let told = bench.callback.received()[0].json()["entry"][0]["changes"][0].clone();
    let mut expected = fixture("ac-001-template-approved")["entry"][0]["changes"][0].clone();
    let mut shape = told.clone();
    for document in [&mut expected, &mut shape] {
        blank(document, &["message_template_id", "message_template_name"]);
    }
    assert_eq!(shape, expected);
    assert_eq!(told["value"]["message_template_id"].as_u64().unwrap().to_string(), id);
    bench.send(&send("ready", &["Ana"])).await.wamid();
    let twice = create(&bench, "ready", "Oi {{1}}, pode vir.").await;
    assert_eq!((twice.status, &twice.json()["error"]["error_subcode"]), (400, &json!(2_388_024)));
    let wrong = bench.send(&send("ready", &["Ana", "x"])).await;
    assert_eq!((wrong.status, wrong.code()), (400, 132_000));
    let gone = bench.ask(Method::DELETE, &format!("{WABA}?name=ready"), ACCESS_TOKEN, None).await;
    assert_eq!(gone.json(), json!({"success": true}));
    assert_eq!(bench.send(&send("ready", &["Ana"])).await.code(), 132_001);
    let again = bench.ask(Method::DELETE, &format!("{WABA}?name=ready"), ACCESS_TOKEN, None).await;
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn a_decision_is_told_and_an_edit_asks_for_another() {
    let bench = Bench::start().await;
    bench.put("/templates/approval", json!("manual")).await;
    let id = create(&bench, "ready", "Oi {{1}}, pode vir.").await.json()["id"].as_str().unwrap().to_owned();
    bench.seconds(60).await;
    assert!(bench.callback.received().is_empty());
    let decision = json!({"status": "REJECTED", "reason": "SCAM", "rejection_info": {"reason": "r"}});
    bench.post(&format!("/templates/{id}/decision"), decision).await;
    let told = bench.callback.received()[0].value();
    assert_eq!((&told["event"], &told["reason"]), (&json!("REJECTED"), &json!("SCAM")));
    let node = bench.read(&format!("/{id}")).await.json();
    assert_eq!((&node["status"], &node["rejected_reason"]), (&json!("REJECTED"), &json!("SCAM")));
    let edit = json!({"components": [{"type": "BODY", "text": "Pode vir."}]});
    let edited = bench.ask(Method::POST, &format!("/{id}"), ACCESS_TOKEN, Some(&edit)).await;
    assert_eq!(edited.json()["success"], true);
    bench.post(&format!("/templates/{id}/decision"), json!({"status": "APPROVED"})).await;
    bench.send(&send("ready", &[])).await.wamid();
    bench.post(&format!("/templates/{id}/decision"), json!({"status": "PAUSED"})).await;
    assert_eq!(bench.send(&send("ready", &[])).await.code(), 132_015);
    bench.ask(Method::POST, &format!("/{id}/unpause"), ACCESS_TOKEN, None).await;
    bench.send(&send("ready", &[])).await.wamid();
    bench.post(&format!("/templates/{id}/decision"), json!({"status": "DISABLED"})).await;
    assert_eq!(bench.send(&send("ready", &[])).await.code(), 132_016);
    assert_eq!(bench.post("/templates/1/decision", json!({"status": "APPROVED"})).await.status, 404);
}

#[tokio::test]
async fn a_text_can_be_rejected_by_what_it_says() {
    let bench = Bench::start().await;
    bench.put("/templates/approval", json!({"reject_if": "lottery"})).await;
    for (name, text, status) in
        [("good", "Your order is here.", "APPROVED"), ("bad", "Join the lottery now.", "REJECTED")]
    {
        let id = create(&bench, name, text).await.json()["id"].as_str().unwrap().to_owned();
        bench.seconds(1).await;
        assert_eq!(bench.read(&format!("/{id}?fields=status")).await.json(), json!({"id": id, "status": status}));
    }
}

#[tokio::test]
async fn templates_are_listed_in_pages_and_by_what_they_are() {
    let bench = Bench::start().await;
    let all = bench.read(WABA).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
    };
    let everything = names(&all);
    assert!(all["paging"].get("next").is_none() && everything.len() > 5);
    let first = bench.read(&format!("{WABA}?limit=3")).await.json();
    assert!(first["paging"]["next"].is_string());
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let rest = bench.read(&format!("{WABA}?limit=100&after={after}")).await.json();
    assert_eq!([names(&first), names(&rest)].concat(), everything);
    let paused = bench.read(&format!("{WABA}?status=PAUSED&fields=name")).await.json();
    assert_eq!(names(&paused), ["promo_paused"]);
    assert!(paused["data"][0].get("components").is_none() && paused["data"][0]["id"].is_string());
    assert_eq!(names(&bench.read(&format!("{WABA}?name=order_update&language=pt_BR")).await.json()).len(), 2);
    let id = all["data"][0]["id"].as_str().unwrap();
    let one = bench.read(&format!("{WABA}/{id}")).await.json();
    assert_eq!(one, bench.read(&format!("/{id}")).await.json());
}

#[tokio::test]
async fn what_meta_would_not_even_look_at_is_refused() {
    let bench = Bench::start().await;
    for (text, subcode) in [
        ("{{1}} is here.", Some(2_388_299)),
        ("Here is {{1}}", Some(2_388_299)),
        ("Here {{2}} is.", Some(2_388_293)),
        ("Here {{1}}{{2}} is.", Some(2_388_293)),
        ("", None),
    ] {
        let answer = create(&bench, "odd", text).await;
        assert_eq!((answer.status, answer.code()), (400, 100), "{text}");
        assert_eq!(answer.json()["error"]["error_subcode"].as_u64(), subcode, "{text}");
    }
    assert_eq!(create(&bench, "odd", &"x".repeat(1_025)).await.json()["error"]["error_subcode"], 2_388_040);
    for (name, language, category, components) in [
        ("Bad Name", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "", "UTILITY", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "pt_BR", "OTHER", json!([{"type": "BODY", "text": "x"}])),
        ("ok", "pt_BR", "UTILITY", json!([])),
        ("ok", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "a {{1}} b"}])),
        ("ok", "pt_BR", "UTILITY", json!([{"type": "BODY", "text": "x"}, {"type": "HEADER", "format": "IMAGE"}])),
    ] {
        let new = json!({"name": name, "language": language, "category": category, "components": components});
        let answer = bench.ask(Method::POST, WABA, ACCESS_TOKEN, Some(&new)).await;
        assert_eq!(answer.status, 400, "{new}");
        assert!(answer.json()["error"]["error_user_msg"].is_string(), "{new}");
    }
}

#[tokio::test]
async fn a_send_must_fit_its_template() {
    let bench = Bench::start().await;
    for name in ["er-006-132000-count", "er-007-132001-not-found", "er-008-132015-paused", "er-020-131062-bsuid-auth"] {
        let example = fixture(name);
        let answer = bench.send(&example["request"]["json"]).await;
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
    bench.send(&named(["order_id", "customer_name"])).await.wamid();
    assert_eq!(bench.send(&named(["order_id", "customer"])).await.code(), 132_012);
    assert_eq!(bench.send(&send("order_update", &["a\nb", "x"])).await.code(), 132_018);
    assert_eq!(bench.send(&send("order_update", &[&"x".repeat(1_000), "x"])).await.code(), 132_005);
    let mut promo = fixture("ex-024-template-media-buttons")["request"]["json"].clone();
    promo["template"]["components"][0]["parameters"][0] =
        json!({"type": "video", "video": {"link": "https://a.example/v"}});
    assert_eq!(bench.send(&promo).await.code(), 132_012);
}

#[tokio::test]
async fn the_phone_shows_a_template_filled_even_when_its_window_is_closed() {
    let bench = Bench::start().await;
    bench.send(&send("order_update", &["Ana", "A-17"])).await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
    let pricing = bench.callback.received()[0].value()["statuses"][0]["pricing"]["category"].clone();
    assert_eq!(pricing, "utility");
    let shown = bench.chat("ana").await["messages"][0]["content"]["rendered"]["body"].clone();
    assert_eq!(shown, "Oi Ana, o pedido A-17 saiu para entrega hoje.");
}

#[tokio::test]
async fn marketing_to_somebody_who_opted_out_fails_later() {
    let bench = Bench::start().await;
    bench.put("/users/ana", json!({"marketing": "out"})).await;
    bench.send(&fixture("ex-024-template-media-buttons")["request"]["json"]).await.wamid();
    bench.seconds(1).await;
    let status = bench.callback.received()[0].value()["statuses"][0].clone();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_050)));
}
