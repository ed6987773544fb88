//! Writes of one project while another one is deleted.
//!
//! The messages are stored with the store's own functions while no server runs.

use crate::{
    figures::Figures,
    samples::Samples,
    server::{Server, Settings},
    setup,
    world::World,
    writes::{Client, Writes, report},
};
use domain::{
    Id, Timestamp,
    ids::ProjectId,
    message::{Direction, MessageOrigin},
};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use store::{
    DatabaseUrl, Store,
    contacts::{self, Identity, Seen},
    conversations::{self, Touch},
    messages::{self, NewMessage},
    transact,
};
use uuid::Uuid;

/// Messages of the deleted project, unless `--rows` says otherwise.
pub const MESSAGES: u64 = 100_000;
/// Messages of a conversation.
const OF_CONVERSATION: u64 = 50;
/// Name of the deleted project.
const DELETED: &str = "Deleted";
const NUMBER: &str = "100000000000902";

pub async fn run(settings: &Settings, seconds: Duration, rows: u64, figures: &mut Figures) {
    let world = World::start().await;
    let (deleted, deleted_key) = setup::project(settings, world.url(), DELETED);
    let (_, key) = setup::project(settings, world.url(), "Other");
    let began = Instant::now();
    fill(settings, deleted, rows).await;
    figures.add("messages", "stored in", began.elapsed().as_secs_f64(), "s");
    let server = Server::start(settings, world.url()).await;
    let client = |key| Client { http: world.http().clone(), url: server.url.clone(), key };
    let writes = Writes::new(client(key)).await;
    writes.run(Duration::from_secs(1)).await;

    let mut idle = writes.run(seconds).await;
    let owner = client(deleted_key);
    let began = Instant::now();
    owner.call(Method::DELETE, &format!("/projects/{deleted}"), &json!({"project": {"name": DELETED}})).await;
    let mut busy = Samples::default();
    while server.metric("chasqui_db_commits_total{name=\"project.deleted\"}").await < 1.0 {
        busy.append(writes.run(Duration::from_secs(1)).await);
    }
    let load = "during the deletion";
    report(load, &mut idle, &mut busy, figures);
    figures.add(load, "deleted in", began.elapsed().as_secs_f64(), "s");
    figures.add(load, "rows", server.metric("chasqui_project_rows_deleted_total").await, "");
    figures.add(
        load,
        "transactions",
        server.metric("chasqui_db_commits_total{name=\"project.delete_rows\"}").await,
        "",
    );
    server.stop().await;
}

/// Stores conversations of 50 messages.
async fn fill(settings: &Settings, project: ProjectId, rows: u64) {
    let url = match &settings.database {
        Some(url) => DatabaseUrl::parse(url).expect("a database"),
        None => DatabaseUrl::Sqlite(settings.data_dir.join("chasqui.db")),
    };
    let store = Store::open(&url).await.expect("the database opens");
    let (now, raw) = (Timestamp::from_secs(1_767_225_600), json!({"text": {"body": "x".repeat(200)}}).to_string());
    for conversation in 0..rows.div_ceil(OF_CONVERSATION) {
        let ids: Vec<Uuid> = (0..OF_CONVERSATION + 2).map(|_| Uuid::now_v7()).collect();
        transact!(store, "fill", tx => {
            let phone = format!("5511{}", 900_000_000 + conversation);
            let identity = [Identity::phone_number(phone.clone())];
            let seen = Seen { wa_id: Some(phone.clone()), ..Seen::default() };
            let contact = contacts::ensure(tx, project, &identity, Id::from_uuid(ids[0]), &seen, now).await?;
            for message in 0..OF_CONVERSATION {
                let wamid = format!("wamid.{conversation}.{message}");
                let touch = Touch {
                    new_id: Id::from_uuid(ids[1]),
                    phone_number_id: NUMBER,
                    contact,
                    config: None,
                    phone_number: Some(&phone),
                    contact_name: None,
                    agent: None,
                    inbound_at: Some(now),
                    now,
                };
                let row = conversations::touch(tx, project, &touch).await?;
                messages::first_seen(tx, project, NUMBER, &wamid, now).await?;
                let place = usize::try_from(message).unwrap_or_default() + 2;
                let new = NewMessage {
                    id: Id::from_uuid(ids[place]),
                    seq: row.next_seq,
                    direction: Direction::Inbound,
                    origin: MessageOrigin::Contact,
                    author: None,
                    kind: "text",
                    content: "Where is my order?",
                    raw: Some(&raw),
                    wamid: Some(&wamid),
                    wa_timestamp: Some(now),
                    execution: None,
                    now,
                };
                messages::insert(tx, project, row.id, &new).await?;
            }
            Ok(())
        })
        .expect("messages are stored");
    }
    store.close().await;
}
