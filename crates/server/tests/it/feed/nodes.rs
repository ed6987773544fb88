//! Two nodes on one PostgreSQL database.

use super::{append, client::Client};
use domain::{Span, event::Event};
use runtime::Clock;
use std::{collections::BTreeSet, time::Duration};
use store::events;
use testkit::{TestApp, database::TestDatabase};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

/// Reads changes until all of these objects were seen; panics if one is unknown or takes a minute.
async fn sees(client: &mut Client, objects: impl IntoIterator<Item = u128>) {
    let mut missing: BTreeSet<String> = objects.into_iter().map(|n| Uuid::from_u128(n).to_string()).collect();
    while !missing.is_empty() {
        let message = client.next().await;
        if message.name.is_empty() {
            let object = message.data["object_id"].as_str().unwrap();
            assert!(missing.remove(object), "{object} is of another project, or was sent twice");
        }
    }
}

#[tokio::test]
async fn nodes_with_clocks_an_hour_apart_deliver_every_event_within_a_minute() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let mut app = TestApp::start().await;
    let clocks = [-1, 0, 1].map(|hours| Clock::manual(app.clock.now() + Span::from_hours(hours)));
    let [early, _, late] = clocks;
    let early = app.another_node(|config| config.clock = early).await;
    let late = app.another_node(|config| config.clock = late).await;
    let project = app.project;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let mine = app.key.clone();
    let (_, theirs) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let mut clients = Vec::new();
    for url in [app.app.url(), early.app.url(), late.app.url()] {
        clients.push(Client::at(&url, &mine).await);
    }
    app.key = theirs;
    let mut foreign = Client::open(&app).await;

    // Each node writes; every node's listeners see all, and nothing of the other project.
    for (n, node) in [&app.app, &early.app, &late.app].into_iter().enumerate() {
        for k in 0..20 {
            append(node, project, Uuid::from_u128(100 * n as u128 + k)).await;
            append(node, other, Uuid::from_u128(1_000 + 100 * n as u128 + k)).await;
        }
    }
    let all = |from: u128| (0..3_u128).flat_map(move |n| (0..20).map(move |k| from + 100 * n + k));
    for client in &mut clients {
        sees(client, all(0)).await;
    }
    sees(&mut foreign, all(1_000)).await;

    // The first event is recorded before others, and is committed after them.
    let (commit, committing) = oneshot::channel::<()>();
    let (recorded, recording) = oneshot::channel();
    let ctx = early.app.context().clone();
    let slow = tokio::spawn(async move {
        let mut held = Some((recorded, committing));
        store::transact!(ctx.store, "test.slow", tx => {
            let mut scope = tx.scope(project, ctx.now());
            events::append(&mut scope, ctx.new_uuid(), Event::MessageMedia, Uuid::from_u128(1), "{}").await?;
            if let Some((recorded, committing)) = held.take() {
                recorded.send(()).unwrap();
                committing.await.unwrap();
            }
            Ok(())
        })
    });
    recording.await.unwrap();
    for k in 2..10 {
        append(&late.app, project, Uuid::from_u128(k)).await;
    }
    for client in &mut clients {
        sees(client, 2..10).await;
    }
    // Further than an ordinary read looks back; a deep one finds it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    commit.send(()).unwrap();
    slow.await.unwrap().unwrap();
    let committed = Instant::now();
    for client in &mut clients {
        sees(client, [1]).await;
    }
    assert!(committed.elapsed() < Duration::from_secs(60));
    append(&app.app, other, Uuid::from_u128(50)).await;
    sees(&mut foreign, [50]).await;
    // A client that resumes on another node, whose clock differs, has missed nothing.
    let hello = app.get("/api/v1/events").await;
    let place = hello.body["meta"]["cursor"].as_str().unwrap().to_owned();
    append(&late.app, other, Uuid::from_u128(51)).await;
    let mut moved = Client::at_place(&early.app.url(), &app.key, &place).await;
    let mut found = moved.next().await;
    while found.data["object_id"] != Uuid::from_u128(51).to_string() {
        found = moved.next().await;
    }
}
