//! Initial installation of every run: migrated, with a project, its agents and a sandbox session
//! for each contact.
//!
//! It is created once per process, with a fixed seed and through the product's routes, and copied
//! as a file.

use super::{agents, chance::Chance, context::context, people::Person, world::World};
use axum::body::Body;
use domain::{Id, Timestamp, api_key, ids::SnapshotId};
use engine::{AgentContent, Compiled};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use store::{DatabaseUrl, Store, agents as agent_rows, api_keys, projects, transact};
use tower::ServiceExt as _;

/// 2026-01-05, a Monday.
pub(super) const BEGAN: Timestamp = Timestamp::from_secs(1_767_571_200);
/// Number of contacts with a session; a run uses some of them.
pub(super) const PEOPLE: usize = 6;

/// Database file and its content that the runs need.
pub struct Template {
    pub(super) bytes: Vec<u8>,
    pub(super) people: Vec<Person>,
    pub(super) compiled: HashMap<SnapshotId, Arc<Compiled>>,
}

impl Template {
    /// Creates the template; panics on errors.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("template.db");
        let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.expect("a new file opens");
        store.migrate().await.expect("the migrations run");
        let world = World::new(0, BEGAN, Vec::new());
        let ctx = context(&world, &store, 0, "template/0", Chance::new(1));
        let key = key(&store).await;
        let router = server::router(server::AppState::new(
            ctx.clone(),
            server::Addresses::default(),
            0,
            server::ProjectLimits { turns: 0, requests_per_minute: 0, streams: 0, keys: 0, stored_mib: 0 },
            server::telemetry::recorder().handle(),
        ));
        let call = async |path: &str, body: Value| -> Value {
            let request = axum::http::Request::post(path)
                .header("x-api-key", &key)
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()))
                .expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert!(answer["data"].is_object(), "{path}: {answer}");
            answer["data"].clone()
        };
        let mut ids = Vec::new();
        for agent in agents::all() {
            let made = call("/api/v1/agents", json!({"agent": agent})).await;
            ids.push(made["id"].as_str().expect("an id").to_owned());
        }
        let mut people = Vec::new();
        for person in 0..PEOPLE {
            let phone = format!("55119999900{person:02}");
            let body = json!({"whatsapp_sandbox_session": {"phone_number": format!("+{phone}"), "agent_id": ids[person % ids.len()]}});
            let session = call("/api/v1/sandbox_sessions", body).await;
            let code = session["activation_code"].as_str().expect("a code").to_owned();
            people.push(Person { phone, code, received: Vec::new(), message_count: 0 });
        }
        let compiled = compiled(&store, &ids).await;
        drop((router, ctx));
        store.close().await;
        drop(store);
        Self { bytes: std::fs::read(path).expect("the template"), people, compiled }
    }
}

/// Creates a project. Returns its API key.
async fn key(store: &Store) -> String {
    let mut chance = Chance::new(2);
    let mut random = [0; 256];
    chance.fill(&mut random);
    let key = api_key::from_random(&random).expect("enough random bytes");
    let (project, id) = (Id::from_uuid(uuid(&mut chance)), Id::from_uuid(uuid(&mut chance)));
    let stored = transact!(store, "template.key", tx => {
        projects::insert(tx, project, "Simulated", BEGAN).await?;
        api_keys::insert(tx, project, id, &key, None, BEGAN).await
    });
    stored.expect("the key is stored");
    key.text
}

fn uuid(chance: &mut Chance) -> uuid::Uuid {
    let mut bytes = [0; 16];
    chance.fill(&mut bytes);
    uuid::Uuid::new_v8(bytes)
}

/// Compiles the agents once, because compiling takes longer than a whole turn.
async fn compiled(store: &Store, ids: &[String]) -> HashMap<SnapshotId, Arc<Compiled>> {
    let mut compiled = HashMap::new();
    let mut reader = store.read().await.expect("a reader");
    let mut conn = reader.conn();
    let project = projects::named(&mut conn, "Simulated").await.expect("the project")[0].id;
    for id in ids {
        let id = id.parse().expect("an id");
        let snapshot = agent_rows::current_snapshot(&mut conn, project, id).await.expect("a read").expect("a snapshot");
        let text = agent_rows::snapshot(&mut conn, project, snapshot).await.expect("a read").expect("its content");
        let content: AgentContent = serde_json::from_str(&text).expect("an agent");
        compiled.insert(snapshot, Arc::new(Compiled::new(&content).expect("it can run")));
    }
    compiled
}
