//! Setup of a project, an agent and phones, over the command line and the API.

use crate::{
    server::{Server, Settings},
    webhook,
    world::World,
};
use domain::ids::ProjectId;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Mutex, time::Duration};

/// Phones without an open turn, longest idle first.
pub struct Phones(Mutex<VecDeque<String>>);

impl Phones {
    /// Takes a phone; panics if none is left.
    pub fn take(&self) -> String {
        self.0
            .lock()
            .expect("no panic")
            .pop_front()
            .expect("a free phone; there is none because the server is too slow")
    }

    /// Returns a phone.
    pub fn give(&self, phone: String) {
        self.0.lock().expect("no panic").push_back(phone);
    }
}

/// Creates `count` phones with an active session each, and returns the project's key. `debounce` is the
/// agent's, in seconds.
pub async fn phones(
    settings: &Settings,
    server: &Server,
    world: &World,
    count: usize,
    debounce: u32,
) -> (Phones, String) {
    let (_, key) = project(settings, world.url(), "Phones");
    let agent = json!({"agent": {"name": "Bench", "system_prompt": "Answer in one sentence.", "message_debounce_seconds": debounce}});
    let made = call(server, world, &key, "/api/v1/agents", &agent).await;
    let agent = made["data"]["id"].as_str().expect("an agent").to_owned();
    let before = world.others();
    let phones = stream::iter(0..count)
        .map(|number| {
            let (key, agent) = (&key, &agent);
            async move {
                let phone = format!("55119{:08}", 70_000_000 + number);
                let session =
                    json!({"whatsapp_sandbox_session": {"phone_number": format!("+{phone}"), "agent_id": agent}});
                let made = call(server, world, key, "/api/v1/sandbox_sessions", &session).await;
                let code = made["data"]["activation_code"].as_str().expect("a code");
                let activation = webhook::text(&phone, &world.wamid(), code);
                assert!(webhook::post(world.http(), &server.url, &activation).await, "the activation is accepted");
                phone
            }
        })
        .buffer_unordered(32)
        .collect::<VecDeque<String>>()
        .await;
    while world.others() < before + count {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (Phones(Mutex::new(phones)), key)
}

/// Creates a project with a name of its own. Returns its id and key.
pub fn project(settings: &Settings, world: &str, name: &str) -> (ProjectId, String) {
    let output =
        settings.command(world).args(["projects", "create", name, "--json"]).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let id = made["project_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    (id, made["api_key"].as_str().expect("a key").to_owned())
}

pub async fn call(server: &Server, world: &World, key: &str, path: &str, body: &Value) -> Value {
    let request = world.http().post(format!("{}{path}", server.url)).header("X-API-Key", key);
    let answer =
        request.header("content-type", "application/json").body(body.to_string()).send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).expect("JSON")
}
