//! Contacts and contact notes.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

async fn contact(app: &TestApp, contact: Value) -> Value {
    app.post("/api/v1/whatsapp_contacts", json!({"contact": contact})).await.data().clone()
}

async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.get(&format!("/api/v1/whatsapp_contacts?{query}")).await;
    answer.data().as_array().unwrap().iter().map(|one| one["wa_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn contact_is_found_by_id_and_by_number_in_any_spelling() {
    let app = TestApp::start().await;
    let made = contact(&app, json!({"wa_id": "+55 11 98765-0001", "metadata": {"tags": ["recall"]}})).await;
    assert_eq!(made["wa_id"], "5511987650001");
    assert_eq!(made["metadata"], json!({"tags": ["recall"]}));
    let id = made["id"].as_str().unwrap();
    for name in [id, "5511987650001", "%2B5511987650001", "+5511987650001", "551187650001"] {
        let answer = app.get(&format!("/api/v1/whatsapp_contacts/{name}")).await;
        assert_eq!(answer.data()["id"], id, "{name}");
    }
    assert_eq!(app.get("/api/v1/whatsapp_contacts/5511987650002").await.status, 404);
}

#[tokio::test]
async fn number_in_any_spelling_belongs_to_one_contact_per_project() {
    let app = TestApp::start().await;
    contact(&app, json!({"wa_id": "5511987650001"})).await;
    let post = async |wa_id: &str| app.post("/api/v1/whatsapp_contacts", json!({"contact": {"wa_id": wa_id}})).await;
    let again = post("+55 (11) 8765-0001").await;
    assert_eq!((again.status, again.body["errors"].clone()), (422, json!({"wa_id": ["has already been taken"]})));
    assert_eq!(post("call me").await.status, 422);
    let absent = json!({"wa_id": "5511987650002", "customer_id": "0197a1b2-0000-7000-8000-000000000001"});
    let refused = app.post("/api/v1/whatsapp_contacts", json!({"contact": absent})).await;
    assert_eq!((refused.status, refused.body["details"][0]["code"].as_str()), (422, Some("unknown_customer")));
    assert_eq!(found(&app, "").await, ["5511987650001"], "nothing of it was stored");
}

#[tokio::test]
async fn inbound_message_uses_the_existing_contact() {
    let app = TestApp::start().await;
    let made = contact(&app, json!({"wa_id": ANA, "profile_name": "Dona Ana", "metadata": {"vip": true}})).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let list = app.get("/api/v1/whatsapp_contacts").await;
    assert_eq!(list.body["meta"]["total_count"], 1);
    assert_eq!(list.data()[0]["id"], made["id"]);
    assert_eq!(list.data()[0]["metadata"], json!({"vip": true}));
}

#[tokio::test]
async fn contacts_are_filtered_by_customer_name_number_and_time() {
    let app = TestApp::start().await;
    let body = json!({"customer": {"name": "Clinic", "external_customer_id": "c-1"}});
    let customer = app.post("/api/v1/customers", body).await.id();
    contact(&app, json!({"wa_id": "5511987650001", "profile_name": "Márta", "customer_id": customer})).await;
    app.forward(Span::from_secs(1)).await;
    contact(&app, json!({"wa_id": "15557770002", "profile_name": "Bob"})).await;
    for (query, expected) in [
        (format!("q[customer_id_eq]={customer}"), &["5511987650001"][..]),
        ("q[customer_external_customer_id_eq]=c-1".into(), &["5511987650001"]),
        ("q[customer_external_customer_id_eq]=c-2".into(), &[]),
        ("q[customer_id_null]=true".into(), &["15557770002"]),
        ("q[customer_id_null]=false".into(), &["5511987650001"]),
        ("q[customer_id_not_null]=true".into(), &["5511987650001"]),
        ("q[customer_id_not_null]=true&q[customer_id_null]=true".into(), &[]),
        ("q[profile_name_cont]=MÁRT".into(), &["5511987650001"]),
        ("q[wa_id_cont]=%2B1 (555)".into(), &["15557770002"]),
        ("q[wa_id_cont]=x".into(), &[]),
        ("q[created_at_gteq]=2001-01-01T00:00:00Z".into(), &["15557770002", "5511987650001"]),
        ("q[created_at_lteq]=2001-01-01T00:00:00Z".into(), &[]),
    ] {
        assert_eq!(found(&app, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn update_distinguishes_null_from_missing_and_replaces_metadata() {
    let app = TestApp::start().await;
    contact(&app, json!({"wa_id": "5511987650001", "profile_name": "Marta", "metadata": {"a": 1, "b": 2}})).await;
    let path = "/api/v1/whatsapp_contacts/+5511987650001";
    let change = async |change: Value| app.patch(path, json!({"contact": change})).await.data().clone();
    let changed = change(json!({"metadata": {"c": 3}})).await;
    assert_eq!((changed["profile_name"].clone(), changed["metadata"].clone()), (json!("Marta"), json!({"c": 3})));
    let changed = change(json!({"profile_name": null, "metadata": null})).await;
    assert_eq!((changed["profile_name"].clone(), changed["metadata"].clone()), (json!(null), json!({})));
    let large = json!({"contact": {"metadata": {"x": "y".repeat(17_000)}}});
    let refused = app.patch(path, large).await;
    assert_eq!((refused.status, refused.body["details"][0]["code"].as_str()), (422, Some("too_large")));
    assert_eq!(found(&app, "q[profile_name_cont]=marta").await, [""; 0], "a removed name is not found");
}

#[tokio::test]
async fn notes_are_created_updated_listed_and_deleted() {
    let app = TestApp::start().await;
    contact(&app, json!({"wa_id": "5511987650001"})).await;
    let other = contact(&app, json!({"wa_id": "15557770002"})).await["id"].as_str().unwrap().to_owned();
    let notes = "/api/v1/whatsapp_contacts/+5511987650001/notes";
    let post = async |note: Value| app.post(notes, json!({"note": note})).await;
    let first = post(json!({"name": "Allergy", "content": "No penicillin", "metadata": {"source": "form"}})).await;
    assert_eq!((first.status, first.data()["metadata"].clone()), (201, json!({"source": "form"})));
    app.forward(Span::from_secs(1)).await;
    let second = post(json!({"content": "Calls on Mondays"})).await;
    assert_eq!((second.data()["name"].clone(), second.data()["metadata"].clone()), (json!(null), json!({})));
    assert_eq!(post(json!({"content": " "})).await.status, 422);
    let path = format!("{notes}/{}", first.id());
    let changed = app.patch(&path, json!({"note": {"content": "No sulfa", "metadata": null}})).await;
    let fields = ["name", "content", "metadata"].map(|field| changed.data()[field].clone());
    assert_eq!(fields, [json!("Allergy"), json!("No sulfa"), json!({})]);
    assert_eq!(app.get(&path).await.data(), changed.data());
    let list = app.get(notes).await;
    let ids: Vec<&str> = list.data().as_array().unwrap().iter().map(|note| note["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.id(), first.id()], "newest first");
    let elsewhere = format!("/api/v1/whatsapp_contacts/{other}/notes/{}", first.id());
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(app.call(method, &elsewhere, None).await.status, 404, "another contact's note");
    }
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.get(notes).await.body["meta"]["total_count"], 1);
}
