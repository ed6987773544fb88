//! Model providers with a project's own key: their API, and agents that answer through them.

mod answers;
mod api;
mod check;
mod guard;
mod nodes;

use serde_json::{Value, json};
use testkit::{
    ScriptedModel, TestApp,
    dialects::{DIALECTS, Dialect},
};

const PATH: &str = "/api/v1/model_providers";
/// A key of the usual form.
const KEY: &str = "sk-of-the-project-1234";

/// An application whose projects may reach this machine.
async fn started() -> TestApp {
    TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await
}

fn dialect(name: &str) -> &'static Dialect {
    DIALECTS.iter().find(|dialect| dialect.name == name).unwrap()
}

/// A strict server that takes only [`KEY`], and the fields of a provider that uses it.
async fn server(name: &str) -> (ScriptedModel, Value) {
    let dialect = dialect(name);
    let model = ScriptedModel::speaking(dialect).await;
    model.accepts_only(KEY);
    let fields = json!({"name": "Ours", "kind": dialect.provider, "base_url": model.base_url(), "api_key": KEY,
        "model": dialect.model});
    (model, fields)
}

/// Creates a provider. Returns its path.
async fn create(app: &TestApp, fields: Value) -> String {
    let made = app.post(PATH, json!({"model_provider": fields})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    format!("{PATH}/{}", made.id())
}

async fn update(app: &TestApp, path: &str, fields: Value) -> testkit::Answer {
    app.patch(path, json!({"model_provider": fields})).await
}

/// Path and code of the only detail of a 422.
fn refused(answer: &testkit::Answer) -> (String, String) {
    assert_eq!(answer.status, 422, "{}", answer.body);
    let [detail] = &answer.body["details"].as_array().unwrap()[..] else { panic!("{}", answer.body) };
    (detail["path"].as_str().unwrap().to_owned(), detail["code"].as_str().unwrap().to_owned())
}
