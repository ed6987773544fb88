//! Deletion of projects.

use super::support::{Browser, person};
use crate::{feed::client::Client, walk::world::World};
use domain::{Span, ids::ProjectId, role::Role};
use reqwest::Method;
use runtime::{context::PLATFORM_PROJECT, workers};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use store::{audit, tables};
use testkit::{ANA, Answer, TestApp};

async fn rows(app: &TestApp, project: ProjectId) -> BTreeMap<String, Vec<String>> {
    tables::rows_of(&app.app.context().store, project).await.unwrap()
}

async fn delete(app: &TestApp, name: &str) -> Answer {
    let body = json!({"project": {"name": name}});
    app.call(Method::DELETE, &format!("/api/v1/projects/{}", app.project), Some(body)).await
}

/// Does all due work; an execution that was replayed before may be gone.
async fn work(app: &TestApp) {
    while Box::pin(workers::step(app.app.context())).await.unwrap() == workers::Did::Something {}
}

/// Rows of kinds that the walk's world does not leave.
async fn fill(app: &TestApp) {
    let body = json!({"agent": {"name": "Daily"}}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
    assert_eq!(app.call_raw(&headers, Method::POST, "/api/v1/agents", Some(body)).await.status, 201);
    app.post("/api/cli/auth/request", json!({})).await;
    app.key_of("operator@example.test").await;
    let ctx = app.app.context();
    store::transact!(ctx.store, "test.fill", tx => {
        store::uploads::add(tx, app.project, ctx.new_uuid(), 0, b"file").await
    })
    .unwrap();
}

#[tokio::test]
async fn deleted_project_leaves_no_row_and_takes_none_of_another() {
    let world = World::with_full_stranger().await;
    let app = &world.app;
    fill(app).await;
    app.run_until_idle().await;
    let before = rows(app, app.project).await;
    let (filled, empty): (Vec<_>, Vec<_>) = before.iter().partition(|(_, rows)| !rows.is_empty());
    let empty: Vec<&str> = empty.into_iter().map(|(table, _)| table.as_str()).collect();
    eprintln!("{} tables have rows, {empty:?} have none", filled.len());
    assert!(empty.len() <= EMPTY, "{empty:?}");
    let others = rows(app, world.stranger()).await;

    let wrong = delete(app, "tests").await;
    let detail = &wrong.body["details"][0];
    assert_eq!(
        (wrong.status, detail["code"].as_str(), detail["path"].as_str()),
        (422, Some("mismatch"), Some("/project/name"))
    );
    assert_eq!(rows(app, app.project).await, before, "nothing was written");
    let answer = delete(app, "Tests").await;
    assert_eq!((answer.status, answer.data()["id"].as_str()), (202, Some(app.project.to_string().as_str())));
    assert_eq!(delete(app, "Tests").await.status, 401);
    work(app).await;
    let left: Vec<_> = rows(app, app.project).await.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    assert_eq!(left, []);
    assert_eq!(rows(app, world.stranger()).await, others);

    // The job looks once more, then it is done as well.
    app.clock.forward(Span::from_mins(1));
    work(app).await;
    let platform = rows(app, PLATFORM_PROJECT).await;
    assert!(platform["jobs"].is_empty(), "{:?}", platform["jobs"]);
    let mut reader = app.app.context().store.read().await.unwrap();
    let (kept, count) = audit::list(&mut reader.conn(), PLATFORM_PROJECT, 10, 0).await.unwrap();
    assert_eq!((count, kept[0].action.as_str(), &kept[0].target), (1, "project.delete", &app.project.to_string()));
    assert!(kept[0].actor.starts_with("key:"));
}

/// Tables that the test may leave empty: their rows live only as long as some work.
const EMPTY: usize = 10;

#[tokio::test]
async fn deleted_project_is_refused_at_once() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.contact_sends(ANA, "hi").await;
    app.emulator.quiesce(Duration::from_secs(10)).await;
    let mut stream = Client::open(&app).await;
    let calls = app.model().requests().len();

    let name = json!({"project": {"name": "Tests"}});
    let deleted = ana.call("DELETE", &format!("/api/v1/projects/{}", app.project), Some(name)).await;
    assert_eq!(deleted.status, 202);
    let ended = async { while stream.read().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the stream ends");
    assert_eq!(app.get("/api/v1/agents").await.status, 401);
    assert_eq!(ana.get("/api/v1/agents").await.status, 404);
    assert_eq!(ana.get("/app/api/me").await.data()["projects"], json!([]));
    // A message to the deleted project is of no project; the due turn does not run.
    let stored = rows(&app, app.project).await["messages"].len();
    app.contact_sends(ANA, "hello?").await;
    app.emulator.quiesce(Duration::from_secs(10)).await;
    assert_eq!(rows(&app, app.project).await["messages"].len(), stored);
    work(&app).await;
    assert_eq!(app.model().requests().len(), calls, "no model was asked");
    assert!(rows(&app, app.project).await.values().all(Vec::is_empty));
}

/// Both nodes find the job; one deletes, the other one is refused by its lease.
#[tokio::test]
async fn two_workers_delete_a_project_once() {
    let world = World::new().await;
    let app = &world.app;
    app.run_until_idle().await;
    assert_eq!(delete(app, "Tests").await.status, 202);
    app.take_commits();
    let results = futures::future::join_all((0..2).map(|_| Box::pin(workers::step(app.app.context())))).await;
    assert!(results.into_iter().all(|did| did.is_ok()));
    work(app).await;
    assert!(rows(app, app.project).await.values().all(Vec::is_empty));
    let ends = app.take_commits().into_iter().filter(|name| *name == "project.deleted").count();
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn only_owners_and_operators_delete_a_project() {
    let app = TestApp::start().await;
    person(&app, "builder@example.test", Some(Role::Builder)).await;
    let builder = Browser::signed_in(&app, "builder@example.test").await;
    let path = format!("/api/v1/projects/{}", app.project);
    let body: Value = json!({"project": {"name": "Tests"}});
    let refused = builder.call("DELETE", &path, Some(body.clone())).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (403, Some("forbidden")));
    // An archived project can be deleted.
    app.app.operator().archive_project("Tests", true).await.unwrap();
    assert_eq!(app.call(Method::DELETE, &path, Some(body)).await.status, 202);
}
