//! WhatsApp configs: ownership of numbers, hidden tokens and details from Meta.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Answer, OWN_NUMBER_ID, Service, TestApp};

const SECRET: &str = "EAAB-very-secret";

fn number(phone_number_id: &str) -> Value {
    json!({"name": "Blue line", "phone_number_id": phone_number_id, "business_account_id": "777",
        "webhook_verify_token": "check-me", "access_token": SECRET})
}

/// Creates a customer and returns the path of its configs.
async fn customer(app: &TestApp) -> String {
    let external = app.get("/api/v1/customers").await.body["meta"]["total_count"].to_string();
    let body = json!({"customer": {"name": "Clinic", "external_customer_id": external}});
    format!("/api/v1/customers/{}/whatsapp_configs", app.post("/api/v1/customers", body).await.id())
}

async fn create(app: &TestApp, configs: &str, config: Value) -> Answer {
    app.post(configs, json!({"whatsapp_config": config})).await
}

#[tokio::test]
async fn config_has_defaults_and_hides_its_token() {
    let app = TestApp::start().await;
    let configs = customer(&app).await;
    let made = create(&app, &configs, number("555")).await;
    let fields = ["display_name", "kind", "inbound_processing_enabled", "calls_enabled", "webhook_verify_token"];
    let shown = fields.map(|field| made.data()[field].clone());
    assert_eq!(shown, [json!("Blue line"), json!("production"), json!(true), json!(false), json!("check-me")]);
    let path = format!("/api/v1/whatsapp_configs/{}", made.id());
    let changed = app.patch(&path, json!({"whatsapp_config": {"access_token": "EAAB-another-secret"}})).await;
    for answer in
        [made, changed, app.get(&path).await, app.get(&configs).await, app.get("/api/v1/whatsapp_configs").await]
    {
        assert!(answer.status < 300 && !answer.body.to_string().contains("secret"), "{}", answer.body);
    }
}

#[tokio::test]
async fn proved_number_is_unique_across_projects_until_its_config_is_deleted() {
    let app = TestApp::start().await;
    let configs = customer(&app).await;
    let first = create(&app, &configs, number("555")).await.id();
    let taken = |answer: &Answer| (answer.status, answer.body["code"].as_str().map(str::to_owned));
    let expected = (409, Some("number_taken".to_owned()));
    assert_eq!(taken(&create(&app, &configs, number("555")).await), expected);
    assert_eq!(taken(&create(&app, &configs, number(emulator::PHONE_NUMBER_ID)).await), expected, "the sandbox's");
    let second = create(&app, &configs, number("556")).await.id();
    let path = |id: &str| format!("/api/v1/whatsapp_configs/{id}");
    let moved = app.patch(&path(&second), json!({"whatsapp_config": {"phone_number_id": "555"}})).await;
    assert_eq!(taken(&moved), expected);

    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs = async |path: &str, body: Value| app.call_as(Some(&key), Method::POST, path, Some(body)).await;
    let body = json!({"customer": {"name": "Theirs", "external_customer_id": "t"}});
    let their_configs = format!("/api/v1/customers/{}/whatsapp_configs", theirs("/api/v1/customers", body).await.id());
    let mut own = number(OWN_NUMBER_ID);
    own["access_token"] = json!(emulator::ACCESS_TOKEN);
    own["business_account_id"] = json!(emulator::WABA_ID);
    let proved = create(&app, &configs, own.clone()).await.id();
    assert_eq!(taken(&theirs(&their_configs, json!({ "whatsapp_config": own })).await), expected);
    // A number that was not proved is free for others.
    assert_eq!(theirs(&their_configs, json!({"whatsapp_config": number("555")})).await.status, 201);
    for id in [first, proved] {
        assert_eq!(app.call(Method::DELETE, &path(&id), None).await.status, 204);
    }
    assert_eq!(theirs(&their_configs, json!({ "whatsapp_config": own })).await.status, 201);
}

#[tokio::test]
async fn token_invalid_as_a_header_is_refused_on_save() {
    let app = TestApp::start().await;
    let configs = customer(&app).await;
    let path = format!("/api/v1/whatsapp_configs/{}", create(&app, &configs, number("555")).await.id());
    for token in ["EAAB\u{7f}", "EAAB test", "EAÁB"] {
        let answer = app.patch(&path, json!({"whatsapp_config": {"access_token": token}})).await;
        assert_eq!((answer.status, &answer.body["details"][0]["path"]), (422, &json!("/whatsapp_config/access_token")));
    }
}

#[tokio::test]
async fn update_distinguishes_null_from_missing_and_new_token_resets_number_details() {
    let app = TestApp::start().await;
    let configs = customer(&app).await;
    let mut config = number("555");
    config["webhook_destination_url"] = json!("https://hooks.clinic.example/wa");
    let path = format!("/api/v1/whatsapp_configs/{}", create(&app, &configs, config).await.id());
    let shake = async |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42");
        app.call_as(None, Method::GET, &format!("/webhooks/whatsapp?{query}"), None).await
    };
    assert_eq!((shake("check-you").await.status, shake("check-me").await.body), (403, json!(42)));
    let at = app.get(&path).await.data()["webhook_verified_at"].clone();
    assert!(at.is_string(), "{at}");
    let change = async |change: Value| app.patch(&path, json!({"whatsapp_config": change})).await;
    let changed = change(json!({"name": "Night line", "webhook_verify_token": "check-me"})).await;
    assert_eq!((&changed.data()["webhook_verified_at"], &changed.data()["name"]), (&at, &json!("Night line")));
    assert_eq!(changed.data()["webhook_destination_url"], "https://hooks.clinic.example/wa");
    let changed =
        change(json!({"webhook_verify_token": "new", "webhook_destination_url": null, "calls_enabled": true})).await;
    let fields =
        ["webhook_verified_at", "webhook_destination_url", "calls_enabled"].map(|name| changed.data()[name].clone());
    assert_eq!(fields, [json!(null), json!(null), json!(true)]);
    assert_eq!(change(json!({"name": null})).await.status, 422);
    assert_eq!(change(json!({"kind": "toy"})).await.status, 422);
}

#[tokio::test]
async fn number_of_a_verified_callback_starts_verified() {
    let app = TestApp::start().await;
    let configs = customer(&app).await;
    let first = format!("/api/v1/whatsapp_configs/{}", create(&app, &configs, number("555")).await.id());
    let query = "hub.mode=subscribe&hub.verify_token=check-me&hub.challenge=42";
    app.call_as(None, Method::GET, &format!("/webhooks/whatsapp?{query}"), None).await;
    let at = app.get(&first).await.data()["webhook_verified_at"].clone();
    assert!(at.is_string());
    let second = create(&app, &configs, number("556")).await;
    assert_eq!(second.data()["webhook_verified_at"], at);
    let change = async |token: &str| {
        let path = format!("/api/v1/whatsapp_configs/{}", second.id());
        app.patch(&path, json!({"whatsapp_config": {"webhook_verify_token": token}})).await.data()["webhook_verified_at"]
            .clone()
    };
    assert_eq!((change("another").await, change("check-me").await), (Value::Null, at));

    // Details known to another project's configs are not used.
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs = async |path: &str, body: Value| app.call_as(Some(&key), Method::POST, path, Some(body)).await;
    let clinic = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let path = format!("/api/v1/customers/{}/whatsapp_configs", theirs("/api/v1/customers", clinic).await.id());
    let made = theirs(&path, json!({"whatsapp_config": number("557")})).await;
    assert_eq!((made.status, &made.data()["webhook_verified_at"]), (201, &Value::Null));
}

#[tokio::test]
async fn configs_are_filtered_by_customer_account_name_and_time() {
    let app = TestApp::start().await;
    let (mine, other) = (customer(&app).await, customer(&app).await);
    create(&app, &mine, number("555")).await.data();
    app.forward(Span::from_secs(1)).await;
    let mut config = number("556");
    config["name"] = json!("ÑANDÚ");
    config["business_account_id"] = json!("778");
    create(&app, &other, config).await.data();
    for (path, expected) in [
        ("/api/v1/whatsapp_configs".to_owned(), &["556", "555"][..]),
        (mine.clone(), &["555"]),
        (format!("{other}?business_account_id=777"), &[]),
        ("/api/v1/whatsapp_configs?business_account_id=777".into(), &["555"]),
        ("/api/v1/whatsapp_configs?q[business_account_id_eq]=778".into(), &["556"]),
        ("/api/v1/whatsapp_configs?q[name_cont]=ñand".into(), &["556"]),
        ("/api/v1/whatsapp_configs?q[created_at_lteq]=2001-01-01T00:00:00Z".into(), &[]),
    ] {
        let list = app.get(&path).await;
        let found: Vec<&str> =
            list.data().as_array().unwrap().iter().map(|one| one["phone_number_id"].as_str().unwrap()).collect();
        assert_eq!(
            (found.as_slice(), list.body["meta"]["total_count"].as_u64()),
            (expected, Some(expected.len() as u64)),
            "{path}"
        );
    }
}

fn healthy(path: &str) -> Value {
    match path.split('?').next().unwrap().rsplit('/').next().unwrap() {
        "debug_token" => json!({"data": {"app_id": "300", "is_valid": true, "expires_at": 0,
            "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"]}}),
        "phone_numbers" => json!({"data": [{"id": "554"}, {"id": "555"}]}),
        "subscribed_apps" => json!({"data": [{"whatsapp_business_api_data": {"id": "300"}}]}),
        _ => {
            json!({"id": "555", "display_phone_number": "+1 555-000-1111", "verified_name": "Blue", "status": "CONNECTED",
            "quality_rating": "GREEN", "platform_type": "CLOUD_API", "health_status": {"can_send_message": "AVAILABLE"}})
        }
    }
}

#[tokio::test]
async fn display_number_comes_from_meta_and_registering_without_meta_works() {
    let well = Arc::new(Mutex::new(true));
    let meta = {
        let well = well.clone();
        Service::start_with(move |request| match *well.lock().unwrap() {
            true => (200, healthy(&request.path)),
            false => (500, json!({})),
        })
        .await
    };
    let app = TestApp::with(true, |config| config.graph_base_url = meta.url()).await;
    let configs = customer(&app).await;
    let shown = |answer: &Answer| answer.data()["display_phone_number"].clone();
    let path = |config: &Answer| format!("/api/v1/whatsapp_configs/{}", config.id());
    let body = json!({ "whatsapp_config": number("555") }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let register = async || app.call_raw(&headers, Method::POST, &configs, Some(body.clone())).await;
    let known = register().await;
    assert_eq!((known.status, shown(&known)), (201, json!("+1 555-000-1111")));
    assert_eq!(known.data()["display_phone_number_normalized"], "15550001111");
    let asked = meta.requests().len();
    assert_eq!(
        (register().await.body, meta.requests().len()),
        (known.body.clone(), asked),
        "a repeat makes no request"
    );

    *well.lock().unwrap() = false;
    let unknown = create(&app, &configs, number("556")).await;
    assert_eq!((unknown.status, shown(&unknown)), (201, Value::Null));
    let mut without = number("557");
    without.as_object_mut().unwrap().remove("access_token");
    let asked = meta.requests().len();
    let without = create(&app, &configs, without).await;
    assert_eq!((without.status, meta.requests().len()), (201, asked));

    *well.lock().unwrap() = true;
    let change = json!({"whatsapp_config": {"access_token": "EAAB-first"}});
    assert_eq!(shown(&app.patch(&path(&without), change).await), json!("+1 555-000-1111"));
    let change = json!({"whatsapp_config": {"phone_number_id": "558"}});
    assert_eq!(
        shown(&app.patch(&path(&unknown), change).await),
        json!("+1 555-000-1111"),
        "with the token that it has"
    );
    let asked = meta.requests().len();
    app.patch(&path(&known), json!({"whatsapp_config": {"name": "Night line"}})).await.data();
    assert_eq!(meta.requests().len(), asked, "there is no new status");
}

#[tokio::test]
async fn health_check_reports_failing_checks_without_leaking_the_token() {
    // Per failing check: end of the Graph path, status and body.
    type Odd = Option<(&'static str, u16, Value)>;
    let odd: Arc<Mutex<Odd>> = Arc::default();
    let meta = {
        let odd = odd.clone();
        Service::start_with(move |request| match &*odd.lock().unwrap() {
            Some((part, status, body)) if request.path.contains(part) => (*status, body.clone()),
            _ => (200, healthy(&request.path)),
        })
        .await
    };
    let app = TestApp::with(true, |config| config.graph_base_url = meta.url()).await;
    let configs = customer(&app).await;
    let path = format!("/api/v1/whatsapp_configs/{}", create(&app, &configs, number("555")).await.id());
    let health = async |say: Odd| {
        *odd.lock().unwrap() = say;
        let answer = app.get(&format!("{path}/health")).await;
        assert!(answer.status == 200 && !answer.body.to_string().contains(SECRET), "{}", answer.body);
        answer.body
    };
    let first = health(None).await;
    assert_eq!((&first["status"], &first["checks"]["webhook_verified"]["passed"]), (&json!("degraded"), &json!(false)));
    let shown = app.get(&path).await;
    assert_eq!(shown.data()["display_name"], "Blue line (+15550001111)");
    assert_eq!(shown.data()["display_phone_number"], "+1 555-000-1111");

    let query = "hub.mode=subscribe&hub.verify_token=check-me&hub.challenge=42";
    app.call_as(None, Method::GET, &format!("/webhooks/whatsapp?{query}"), None).await;
    let well = health(None).await;
    assert_eq!(well["status"], "healthy", "{well}");
    assert_eq!(well["checks"]["messaging_health"]["overall_status"], "AVAILABLE");
    assert_eq!(well["checks"]["phone_number_access"]["details"]["quality_rating"], "GREEN");

    let mut number = healthy("/v25.0/555");
    let mut broken = |field: &str, value: Value| {
        number[field] = value;
        Some(("/555", 200, std::mem::replace(&mut number, healthy("/v25.0/555"))))
    };
    let cases: [(Odd, &str, &str); 7] = [
        (broken("status", json!("DISCONNECTED")), "unhealthy", "phone_number_access"),
        (broken("health_status", json!({"can_send_message": "BLOCKED"})), "unhealthy", "messaging_health"),
        (
            Some(("/555", 400, json!({"error": {"code": 100, "error_subcode": 33, "message": "gone"}}))),
            "unhealthy",
            "phone_number_access",
        ),
        (
            Some(("debug_token", 200, json!({"data": {"is_valid": false, "scopes": []}}))),
            "unhealthy",
            "phone_number_access",
        ),
        (
            Some(("debug_token", 200, json!({"data": {"is_valid": true, "scopes": ["whatsapp_business_management"]}}))),
            "unhealthy",
            "messaging_health",
        ),
        (Some(("subscribed_apps", 200, json!({"data": []}))), "degraded", "webhook_subscription"),
        (Some(("subscribed_apps", 200, json!({"data": [{"id": "other app"}]}))), "degraded", "webhook_subscription"),
    ];
    for (say, status, check) in cases {
        let what = format!("{say:?}");
        let body = health(say).await;
        assert_eq!(
            (&body["status"], &body["checks"][check]["passed"]),
            (&json!(status), &json!(false)),
            "{what}: {body}"
        );
        assert!(body["checks"][check]["error"].is_string(), "{what}: {body}");
    }
    let limited = health(broken("health_status", json!({"can_send_message": "LIMITED"}))).await;
    assert_eq!(
        (&limited["status"], &limited["checks"]["messaging_health"]["overall_status"]),
        (&json!("healthy"), &json!("LIMITED"))
    );
    let down = health(Some(("/555", 503, json!({})))).await;
    assert_eq!((&down["status"], &down["checks"]), (&json!("error"), &json!(null)), "{down}");
    assert!(down["error"].is_string());

    app.patch(&path, json!({"whatsapp_config": {"access_token": null}})).await.data();
    let asked = meta.requests().len();
    let without = health(None).await;
    assert_eq!((&without["status"], meta.requests().len()), (&json!("unhealthy"), asked));
}
