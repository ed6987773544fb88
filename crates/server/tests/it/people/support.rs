//! A browser with cookies, and people with passwords.

use domain::{Id, role::Role};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
};
use store::{members, transact, users};
use testkit::{Answer, TestApp};
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";

/// Stored hash of [`PASSWORD`], computed once per process.
fn stored() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| server::password_hash(PASSWORD)).clone()
}

/// Creates a person with [`PASSWORD`], and a membership in the test's project.
pub async fn person(app: &TestApp, email: &str, role: Option<Role>) -> domain::ids::UserId {
    let (context, project, now) = (app.app.context(), app.project, app.clock.now());
    let (new_id, password) = (Id::from_uuid(Uuid::now_v7()), stored());
    let user = transact!(context.store, "test.person", tx => {
        let user = users::ensure(tx, new_id, email, false, now).await?.id;
        users::set_password(tx, user, &password).await?;
        if let Some(role) = role {
            members::set(tx, project, user, role, now).await?;
        }
        store::Result::Ok(user)
    });
    user.unwrap()
}

/// Keeps cookies as a browser does, and sends what a page of the server would.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: Mutex<BTreeMap<String, String>>,
    pub project: Option<String>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: Mutex::default(), project: Some(app.project.to_string()) }
    }

    pub async fn signed_in(app: &'a TestApp, email: &str) -> Self {
        let browser = Self::new(app);
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.call("POST", "/app/api/session", Some(json!({"email": email, "password": password}))).await
    }

    /// Value of the `Cookie` header.
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Sends a request as a page of the server does.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub async fn call_with(&self, method: &str, path: &str, body: Option<Value>, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("cookie", self.cookies())];
        if body.is_some() || method != "GET" {
            headers.push(("content-type", "application/json".into()));
        }
        if let Some(project) = &self.project {
            headers.push(("x-project-id", project.clone()));
        }
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let answer = send(self.app, method, path, &headers, body.map(|body| body.to_string())).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            self.keep(set);
        }
        answer
    }

    fn keep(&self, set: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in set.split('\n') {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match cookie.contains("Max-Age=0;") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// Sends a request without a key. Several `Set-Cookie` headers are joined by line breaks.
pub async fn send(app: &TestApp, method: &str, path: &str, headers: &[(&str, String)], body: Option<String>) -> Answer {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let mut request = http.request(method.parse::<Method>().unwrap(), format!("{}{path}", app.app.url()));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.body(body.unwrap_or_default()).send().await.unwrap();
    let status = response.status().as_u16();
    let mut kept = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = value.to_str().unwrap();
        let all = kept.entry(name.as_str().to_owned()).or_insert_with(String::new);
        if !all.is_empty() {
            all.push('\n');
        }
        all.push_str(value);
    }
    let text = response.text().await.unwrap();
    Answer { status, headers: kept, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}
