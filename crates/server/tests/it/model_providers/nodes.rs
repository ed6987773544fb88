//! Two nodes on one PostgreSQL database.

use super::{KEY, create, dialect, server, started, update};
use serde_json::{Value, json};
use testkit::{ScriptedModel, database::TestDatabase};

#[tokio::test]
async fn changed_key_and_address_count_on_the_other_node_from_its_next_call_on() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let app = started().await;
    let other = app.another_node(|_| {}).await;
    let (model, fields) = server("OpenAI").await;
    let path = create(&app, fields).await;
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    // The other node keeps its connection between checks.
    let check = async || {
        let request = http.post(format!("{}{path}/check", other.app.url())).header("x-api-key", &app.key);
        let answer = request.json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["data"].clone()
    };
    let works = async |model: &ScriptedModel| {
        model.says("OK");
        model.calls(&[("report_ready", json!({"ready": true}))]);
        model.says("Red");
        assert_eq!(check().await["works"], true);
    };
    works(&model).await;
    assert_eq!(model.keys(), [KEY, KEY, KEY]);

    let next = "sk-the-next-key-5678";
    model.accepts_only(next);
    update(&app, &path, json!({"api_key": next})).await.data();
    works(&model).await;
    assert_eq!(model.keys()[3..], [next, next, next]);

    let second = ScriptedModel::speaking(dialect("OpenAI")).await;
    update(&app, &path, json!({"base_url": second.base_url(), "api_key": KEY})).await.data();
    works(&second).await;
    assert_eq!((second.keys(), model.keys().len()), (vec![KEY.to_owned(); 3], 6));

    update(&app, &path, json!({"api_key": null})).await.data();
    assert_eq!(check().await["problem"]["code"], "llm_key_missing");
    assert_eq!(second.keys().len(), 3, "a withdrawn key is not used");
}
