//! The contract's three operations.

use super::{customer, path_of, visit};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

const COLOURS: [&str; 12] = [
    "primary_color",
    "primary_foreground_color",
    "background_color",
    "text_color",
    "muted_text_color",
    "card_color",
    "muted_color",
    "border_color",
    "secondary_color",
    "secondary_foreground_color",
    "destructive_color",
    "destructive_foreground_color",
];

#[tokio::test]
async fn link_keeps_its_settings_and_is_shown_again_with_the_same_url() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let theme: Value =
        COLOURS.iter().map(|name| ((*name).to_owned(), json!("#22446A"))).collect::<serde_json::Map<_, _>>().into();
    let sent = json!({"success_redirect_url": "https://app.clinic.example/ok", "failure_redirect_url": "https://app.clinic.example/no",
        "allowed_connection_types": ["coexistence", "dedicated"], "provision_phone_number": false, "phone_number_area_code": "415",
        "phone_number_country_isos": ["US", "CA"], "theme_config": theme});
    let made = app.post(&links, json!({"setup_link": sent})).await;
    assert_eq!((made.status, &made.data()["status"]), (201, &json!("active")));
    for (field, value) in sent.as_object().unwrap() {
        assert_eq!(&made.data()[field], value, "{field}");
    }
    let life = app.clock.now() + Span::from_hours(30 * 24);
    assert_eq!(made.data()["expires_at"], json!(life.to_iso()));
    assert_eq!(app.get(&links).await.data()[0], *made.data());

    // Without a body; and null clears what a link may lack.
    let plain = app.call(Method::POST, &links, None).await;
    assert_eq!(plain.data()["allowed_connection_types"], json!(["dedicated"]));
    assert_eq!(plain.data()["phone_number_country_isos"], json!(["US"]));
    for field in ["success_redirect_url", "theme_config", "provisioned_phone_number"] {
        assert_eq!(plain.data()[field], Value::Null, "{field}");
    }
    let path = format!("{links}/{}", made.id());
    let nulls =
        json!({"setup_link": {"success_redirect_url": null, "failure_redirect_url": null, "theme_config": null}});
    let cleared = app.patch(&path, nulls).await;
    for field in ["success_redirect_url", "failure_redirect_url", "theme_config"] {
        assert_eq!(cleared.data()[field], Value::Null, "{field}");
    }
    assert_eq!(cleared.data()["url"], made.data()["url"]);
}

#[tokio::test]
async fn customer_has_one_active_link() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let other = customer(&app, "Other").await;
    let theirs = app.post(&other, json!({})).await.id();
    let first = app.post(&links, json!({})).await.id();
    app.clock.forward(Span::from_secs(1));
    let second = app.post(&links, json!({})).await.id();
    let statuses = async || {
        let list = app.get(&links).await;
        list.data()
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(statuses().await, ["active", "revoked"]);
    let change =
        async |id: &str, change: Value| app.patch(&format!("{links}/{id}"), json!({"setup_link": change})).await;
    assert_eq!(change(&first, json!({"status": "active"})).await.data()["status"], "active");
    assert_eq!(statuses().await, ["revoked", "active"]);
    assert_eq!(change(&first, json!({"status": "expired"})).await.data()["status"], "expired");
    let refused = change(&first, json!({"status": "active"})).await;
    assert_eq!((refused.status, &refused.body["details"][0]["code"]), (422, &json!("expired")));
    let later = (app.clock.now() + Span::from_hours(1)).to_iso();
    assert_eq!(change(&first, json!({"status": "active", "expires_at": later})).await.data()["status"], "active");
    app.clock.forward(Span::from_hours(1));
    assert_eq!(statuses().await, ["revoked", "expired"]);
    let extended = (app.clock.now() + Span::from_hours(1)).to_iso();
    assert_eq!(change(&first, json!({"expires_at": extended})).await.data()["status"], "active");
    let too_late = (app.clock.now() + Span::from_hours(366 * 24)).to_iso();
    let refused = change(&first, json!({"expires_at": too_late})).await;
    assert_eq!((refused.status, &refused.body["details"][0]["code"]), (422, &json!("out_of_range")));
    assert_eq!(change(&second, json!({"status": "used"})).await.status, 422);
    assert_eq!(app.get(&format!("{other}?per_page=1")).await.data()[0]["id"], json!(theirs));
    assert_eq!(app.get(&other).await.data()[0]["status"], "active", "the other customer's link stays");
}

#[tokio::test]
async fn settings_that_cannot_be_kept_are_refused_in_words() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let id = app.post(&links, json!({})).await.id();
    for (field, value, code, words) in [
        ("provision_phone_number", json!(true), "not_supported", "a number of their own"),
        ("allowed_connection_types", json!(["coexistence"]), "not_supported", "add dedicated"),
        ("allowed_connection_types", json!([]), "too_few", "1 or more"),
        ("allowed_connection_types", json!(["cloud"]), "unknown_value", "coexistence or dedicated"),
        ("success_redirect_url", json!("javascript:alert(1)"), "invalid_url", "http or https"),
        ("failure_redirect_url", json!("https://a;script-src/"), "invalid_url", "host"),
        ("failure_redirect_url", json!("ok"), "invalid_url", "URL"),
        ("phone_number_country_isos", json!(["USA"]), "invalid_format", "two letters"),
        ("theme_config", json!({"primary_color": "red;}"}), "invalid_format", "must match"),
    ] {
        let body = json!({"setup_link": {field: value}});
        for answer in [app.post(&links, body.clone()).await, app.patch(&format!("{links}/{id}"), body.clone()).await] {
            let detail = answer.body["details"][0].clone();
            assert_eq!((answer.status, detail["code"].as_str()), (422, Some(code)), "{body}: {}", answer.body);
            assert!(detail["path"].as_str().unwrap().starts_with(&format!("/setup_link/{field}")), "{detail}");
            assert!(detail["message"].as_str().unwrap().contains(words), "{detail}");
        }
    }
    assert_eq!(app.get(&links).await.body["meta"]["total_count"], 1, "nothing was created");
}

/// Answers are stored for repeated requests; a link in them would open the page.
#[tokio::test]
async fn repeated_request_gets_the_url_which_is_not_stored() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let headers = [("idempotency-key", "one"), ("content-type", "application/json")];
    let first = app.call_raw(&headers, Method::POST, &links, Some("{}".into())).await;
    let again = app.call_raw(&headers, Method::POST, &links, Some("{}".into())).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    let mut reader = app.app.context().store.read().await.unwrap();
    let stored =
        store::idempotency::find(&mut reader.conn(), app.project, "one", app.clock.now()).await.unwrap().unwrap();
    let token = path_of(first.data()).replace("/setup/", "");
    assert_eq!(token.len(), 64);
    assert!(stored.body.contains(&first.id()) && !stored.body.contains(&token), "{}", stored.body);
}

#[tokio::test]
async fn links_end_with_their_customer() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let page = path_of(app.post(&links, json!({})).await.data());
    assert_eq!(visit(&app, &page).await.status, 200);
    assert_eq!(app.call(Method::DELETE, links.trim_end_matches("/setup_links"), None).await.status, 204);
    assert_eq!(visit(&app, &page).await.status, 404);
    assert_eq!(app.get(&links).await.status, 404);
}
