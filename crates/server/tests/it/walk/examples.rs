//! Examples of the document: requests and answers of real calls, recorded if `RECORD_EXAMPLES` is
//! set and checked against the document in each run. `cargo xtask openapi --examples` records them
//! and writes the document.

use super::operation::{Operation, all_operations};
use super::world::World;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use testkit::{Answer, TestApp};
use uuid::Uuid;

const FILE: &str = "src/api/examples.json";

#[tokio::test]
async fn every_operation_has_an_example_request_and_response() {
    let record = std::env::var_os("RECORD_EXAMPLES").is_some();
    if record {
        let recorded = record_all().await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        std::fs::write(path, serde_json::to_string_pretty(&recorded).unwrap() + "\n").unwrap();
        // This process still has the document with the old examples.
        return;
    }
    let advice = "; `cargo xtask openapi --examples` records what is missing";
    for operation in all_operations() {
        let name = &operation.name;
        if let Some((schema, example)) = operation.request_example() {
            let problems = operation.problems(schema, example);
            assert!(example.is_object() && problems.is_empty(), "{name}: request {problems:?}{advice}");
        }
        let answers = operation.answer_examples();
        assert!(!answers.is_empty(), "{name} has no answer of success");
        for (schema, example) in answers {
            let problems = operation.problems(schema, example);
            assert!(example.is_object() && problems.is_empty(), "{name}: answer {problems:?}{advice}");
        }
    }
}

#[test]
fn every_error_response_lists_its_codes_and_shows_the_error_body() {
    for operation in all_operations() {
        let mut refusals = 0;
        for (status, response) in operation.responses().filter(|(status, _)| !status.starts_with('2')) {
            let about = response["description"].as_str().unwrap_or_default();
            assert!(about.starts_with('`'), "{} {status}: which code? {about}", operation.name);
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert!(schema.as_str().is_some_and(|link| link.ends_with("Error")), "{} {status}", operation.name);
            refusals += 1;
        }
        assert!(refusals >= 6, "{}", operation.name);
    }
    let document = server::openapi();
    for name in ["Error", "ValidationError"] {
        let example = &document["components"]["schemas"][name]["examples"][0];
        assert!(example["code"].is_string() && example["request_id"].is_string(), "{name}");
    }
}

/// Calls each operation once, deletions last.
async fn record_all() -> Map<String, Value> {
    let world = World::new().await;
    let mut all = all_operations();
    all.sort_by_key(Operation::turn);
    let mut recorded = BTreeMap::new();
    let signed_in = sign_in(&world.app).await;
    for operation in all {
        let is_cli = operation.path.starts_with("/api/cli/");
        let (path, body) = if is_cli {
            let path = operation.path.replace("{project_id}", &world.app.project.to_string());
            let body = operation.takes_a_body().then(|| json!({}));
            (path, body)
        } else {
            (world.path(&operation), world.body(&operation))
        };
        let body = match operation.name.as_str() {
            "cli_exchange_auth" => Some(json!({"auth_code": approved(&world.app).await})),
            _ => body,
        };
        let token = match operation.name.as_str() {
            "cli_revoke_token" => sign_in(&world.app).await,
            _ => signed_in.clone(),
        };
        let headers = [("x-cli-token", token.as_str()), ("content-type", "application/json")];
        let method = operation.method.parse().unwrap();
        let text = body.as_ref().map(Value::to_string);
        let answer: Answer = world.app.call_raw(&headers, method, &path, text).await;
        assert!(answer.status < 300, "{}: {}", operation.name, answer.body);
        let mut example = Map::new();
        if let Some(body) = body {
            example.insert("request".into(), body);
        }
        if !answer.body.is_null() {
            example.insert("answer".into(), answer.body);
        }
        recorded.insert(operation.name.clone(), Value::Object(example));
    }
    let mut names = Names::default();
    recorded.values().for_each(|example| names.collect_codes(example));
    recorded.into_iter().map(|(name, example)| (name, names.of(&example, ""))).collect()
}

/// Sign-in code approved by a user.
async fn approved(app: &TestApp) -> String {
    let asked = app.post("/api/cli/auth/request", json!({})).await.body;
    let code = asked["auth_code"].as_str().unwrap().to_owned();
    app.app
        .operator()
        .approve_login(&code, "maria@example.com", server::operator::logins::Rights::Operator)
        .await
        .unwrap();
    code
}

/// Answers of the operations that show codes, tokens and keys.
pub(super) async fn sign_in_answers(app: &TestApp) -> Vec<(&'static str, Answer)> {
    let code = approved(app).await;
    let exchanged = app.post("/api/cli/auth/exchange", json!({"auth_code": code})).await;
    let token = exchanged.body["token"].as_str().unwrap().to_owned();
    let asked = app.post("/api/cli/auth/request", json!({})).await;
    let page = format!("/cli/authorize/{}", asked.body["code"].as_str().unwrap());
    let key = format!("/api/cli/projects/{}/generate_api_key", app.project);
    let with_token = [("x-cli-token", token.as_str())];
    let created = app.call_raw(&with_token, Method::POST, &key, None).await;
    let page = app.call_as(None, Method::GET, &page, None).await;
    vec![("request", asked), ("exchange", exchanged), ("generate_api_key", created), ("authorize", page)]
}

async fn sign_in(app: &TestApp) -> String {
    let code = approved(app).await;
    let answer = app.post("/api/cli/auth/exchange", json!({"auth_code": code})).await;
    answer.body["token"].as_str().unwrap().to_owned()
}

/// Replaces values that differ between runs by stable names, and sorts rows created in the same
/// instant, so that a recording differs only where the API changed.
#[derive(Default)]
struct Names {
    ids: BTreeMap<String, String>,
    /// Codes of sandbox sessions, which contacts send as texts.
    codes: BTreeSet<String>,
}

impl Names {
    fn collect_codes(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect_codes(item)),
            Value::Object(fields) => {
                self.codes.extend(fields.get("activation_code").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| self.collect_codes(field));
            }
            _ => {}
        }
    }

    fn of(&mut self, value: &Value, key: &str) -> Value {
        match value {
            Value::String(text) => Value::String(self.of_text(text, key)),
            Value::Array(items) => items.iter().map(|item| self.of(item, key)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, field)| (self.of_text(key, ""), self.of(field, key))).collect()
            }
            other => other.clone(),
        }
    }

    /// `key:` or `user:` and an id.
    fn of_actor(&mut self, text: &str) -> String {
        match text.split_once(':') {
            Some((kind, id)) if id.parse::<Uuid>().is_ok() => format!("{kind}:{}", self.of_text(id, "")),
            _ => text.to_owned(),
        }
    }

    fn of_text(&mut self, text: &str, key: &str) -> String {
        if text.parse::<Uuid>().is_ok() {
            let next = self.ids.len() + 1;
            let name = format!("0197a1b2-c3d4-7000-8000-{next:012}");
            return self.ids.entry(text.to_owned()).or_insert(name).clone();
        }
        if text.starts_with("http://127.0.0.1") || text.starts_with("https://127.0.0.1") {
            let path = text.splitn(4, '/').nth(3).unwrap_or_default();
            let path = path.split_once("authorize/").map_or(path, |_| "cli/authorize/K7QX-3MPA");
            return format!("https://chasqui.example/{path}");
        }
        match key {
            "auth_code" | "code" if text.len() > 6 && !text.contains('_') => "K7QX-3MPA".into(),
            "token" => "chu_7Gk2pQ9sXw4Z_3vN8bR1tY6uL0mJ5hD2fC9xE4aW7qS8zK1gP6oT3iBn".into(),
            "prefix" if text.starts_with("chq_") => "chq_7Gk2pQ9sXw4Z".into(),
            "url" if text.contains("/app/invitations/") => "https://chasqui.example/app/invitations/7Gk2pQ9s".into(),
            "created_by" | "actor" | "target" if text.contains('-') => self.of_actor(text),
            "key" if text.starts_with("chq_") => "chq_7Gk2pQ9sXw4Z_3vN8bR1tY6uL0mJ5hD2fC9xE4aW7qS8zK1gP6oT3iBn".into(),
            _ => self.codes.iter().fold(text.to_owned(), |text, code| text.replace(code, "K7QX3M")),
        }
    }
}
