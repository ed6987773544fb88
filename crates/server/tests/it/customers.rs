//! Customers, and the project of a key.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

async fn customer(app: &TestApp, name: &str, external: &str) -> Value {
    let body = json!({"customer": {"name": name, "external_customer_id": external}});
    app.post("/api/v1/customers", body).await.data().clone()
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.data().as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn key_sees_only_its_own_project() {
    let app = TestApp::start().await;
    let own = app.get(&format!("/api/v1/projects/{}", app.project)).await;
    assert_eq!((own.data()["id"].clone(), own.data()["name"].clone()), (json!(app.project), json!("Tests")));
    let other = app.app.operator().create_project("Other").await.unwrap();
    assert_eq!(app.get(&format!("/api/v1/projects/{other}")).await.status, 404);
}

#[tokio::test]
async fn customers_are_filtered_by_name_external_id_and_time() {
    let app = TestApp::start().await;
    let first = customer(&app, "CLÍNICA São José", "a").await;
    // Answers show times cut to milliseconds.
    app.forward(Span::from_micros(10_000_456)).await;
    let second = customer(&app, "50% off_shop", "b").await;
    let list = async |query: &str| app.get(&format!("/api/v1/customers?{query}")).await;
    assert_eq!(names(&list("").await), ["50% off_shop", "CLÍNICA São José"], "newest first");
    for (text, found) in [("clínica s", "CLÍNICA São José"), ("SÃO JOSÉ", "CLÍNICA São José"), ("0%25", "50% off_shop")]
    {
        assert_eq!(names(&list(&format!("q[name_cont]={text}")).await), [found], "{text}");
    }
    for query in ["q[name_cont]=f%25s", "q[name_cont]=clinica", "q[name_cont]=offxshop", "q[external_customer_id_eq]=A"]
    {
        assert_eq!(names(&list(query).await), [""; 0], "{query}");
    }
    assert_eq!(names(&list("q[external_customer_id_eq]=a").await), ["CLÍNICA São José"]);
    let (from, to) = (second["created_at"].as_str().unwrap(), first["created_at"].as_str().unwrap());
    assert_eq!(names(&list(&format!("q[created_at_gteq]={from}")).await), ["50% off_shop"]);
    let early = list(&format!("q[created_at_lteq]={to}")).await;
    assert_eq!((names(&early), early.body["meta"]["total_count"].as_i64()), (vec!["CLÍNICA São José"], Some(1)));
    assert_eq!(
        names(&list(&format!("q[created_at_lteq]={from}")).await).len(),
        2,
        "a time equal to created_at matches"
    );
    let exactly = from.replace('Z', "455Z");
    assert_eq!(
        names(&list(&format!("q[created_at_lteq]={exactly}")).await),
        ["CLÍNICA São José"],
        "more precise than the API shows"
    );
}

#[tokio::test]
async fn external_id_is_unique_per_project() {
    let app = TestApp::start().await;
    let first = customer(&app, "First", "key").await;
    let second = customer(&app, "Second", "other").await;
    let body = json!({"customer": {"name": "Third", "external_customer_id": "key"}});
    let refused = app.post("/api/v1/customers", body.clone()).await;
    assert_eq!(
        (refused.status, refused.body["errors"].clone()),
        (422, json!({"external_customer_id": ["has already been taken"]}))
    );
    let path = |one: &Value| format!("/api/v1/customers/{}", one["id"].as_str().unwrap());
    let change = json!({"customer": {"external_customer_id": "key"}});
    assert_eq!(app.patch(&path(&second), change.clone()).await.status, 422);
    assert_eq!(app.patch(&path(&first), change).await.status, 200, "its own");
    let freed = app.patch(&path(&first), json!({"customer": {"external_customer_id": null}})).await;
    assert_eq!(
        (freed.data()["external_customer_id"].clone(), freed.data()["name"].clone()),
        (json!(null), json!("First"))
    );
    assert_eq!(app.post("/api/v1/customers", body.clone()).await.status, 201);
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    assert_eq!(app.call_as(Some(&key), Method::POST, "/api/v1/customers", Some(body)).await.status, 201);
}

#[tokio::test]
async fn metadata_is_replaced_cleared_and_limited() {
    let app = TestApp::start().await;
    let new = json!({"customer": {"name": "Clinic", "external_customer_id": "c", "metadata": {"tier": 1}}});
    let made = app.post("/api/v1/customers", new).await;
    assert_eq!(made.data()["metadata"], json!({"tier": 1}));
    let path = format!("/api/v1/customers/{}", made.id());
    let change = async |change: Value| app.patch(&path, json!({"customer": change})).await;
    assert_eq!(change(json!({"name": "Clinic 2"})).await.data()["metadata"], json!({"tier": 1}));
    assert_eq!(change(json!({"metadata": {"x": [2]}})).await.data()["metadata"], json!({"x": [2]}));
    assert_eq!(change(json!({"metadata": null})).await.data()["metadata"], json!({}));
    let refused = change(json!({"metadata": {"x": "y".repeat(17_000)}})).await;
    assert_eq!((refused.status, refused.body["details"][0]["path"].as_str()), (422, Some("/customer/metadata")));
}

#[tokio::test]
async fn deleting_a_customer_deletes_its_numbers_and_keeps_its_contacts() {
    let app = TestApp::start().await;
    let id = customer(&app, "Clinic", "c").await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/customers/{id}");
    let number = json!({"whatsapp_config": {"name": "Line", "phone_number_id": "555", "business_account_id": "777",
        "webhook_verify_token": "x", "access_token": "EAAB-secret"}});
    let config = app.post(&format!("{path}/whatsapp_configs"), number.clone()).await.id();
    let contact = json!({"contact": {"wa_id": "5511987650001", "customer_id": id}});
    let contact = app.post("/api/v1/whatsapp_contacts", contact).await.id();
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(app.get(&format!("/api/v1/whatsapp_configs/{config}")).await.status, 404);
    let contact = app.get(&format!("/api/v1/whatsapp_contacts/{contact}")).await;
    assert_eq!(contact.data()["customer_id"], json!(null));
    let next = customer(&app, "Next", "n").await["id"].as_str().unwrap().to_owned();
    assert_eq!(app.post(&format!("/api/v1/customers/{next}/whatsapp_configs"), number).await.status, 201);
}
