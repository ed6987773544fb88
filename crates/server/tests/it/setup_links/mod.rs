//! Setup links, and the page on which a customer connects a number, with the emulator as Meta.

mod api;
mod connect;
mod page;
mod sign_up;

use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{OWN_NUMBER_ID, TestApp};

/// Answer to a browser.
struct Shown {
    status: u16,
    headers: BTreeMap<String, String>,
    html: String,
}

/// Creates a customer. Returns the path of its setup links.
async fn customer(app: &TestApp, name: &str) -> String {
    let external = app.get("/api/v1/customers").await.body["meta"]["total_count"].to_string();
    let body = json!({"customer": {"name": name, "external_customer_id": external}});
    format!("/api/v1/customers/{}/setup_links", app.post("/api/v1/customers", body).await.id())
}

/// Path of the page of a new link with these settings.
async fn link(app: &TestApp, links: &str, settings: Value) -> String {
    path_of(app.post(links, json!({"setup_link": settings})).await.data())
}

fn path_of(link: &Value) -> String {
    let url = link["url"].as_str().unwrap();
    url[url.find("/setup/").unwrap()..].to_owned()
}

/// Sends what a browser sends, and follows no redirect.
async fn browse(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)], form: Option<String>) -> Shown {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
    let mut request = http.build().unwrap().request(method, format!("{}{path}", app.app.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(form) = form {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let pair = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let headers = response.headers().iter().map(pair).collect();
    Shown { status, headers, html: response.text().await.unwrap() }
}

async fn visit(app: &TestApp, path: &str) -> Shown {
    browse(app, Method::GET, path, &[], None).await
}

/// Fields of a number that the emulator knows.
fn right() -> [(&'static str, &'static str); 4] {
    [
        ("name", "Front desk"),
        ("phone_number_id", OWN_NUMBER_ID),
        ("business_account_id", emulator::WABA_ID),
        ("access_token", emulator::ACCESS_TOKEN),
    ]
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Sends the form of a page with its fields, one of them changed.
async fn send_with(app: &TestApp, path: &str, field: &str, value: &str) -> Shown {
    let mut fields = right();
    for (name, old) in &mut fields {
        if *name == field {
            *old = Box::leak(value.to_owned().into_boxed_str());
        }
    }
    browse(app, Method::POST, path, &[("sec-fetch-site", "same-origin")], Some(form(&fields))).await
}

async fn send(app: &TestApp, path: &str) -> Shown {
    send_with(app, path, "", "").await
}

/// Status of the newest link.
async fn status(app: &TestApp, links: &str) -> String {
    app.get(links).await.data()[0]["status"].as_str().unwrap().to_owned()
}

/// Number of configs of the project.
async fn configs(app: &TestApp) -> usize {
    app.get("/api/v1/whatsapp_configs").await.data().as_array().unwrap().len()
}
