//! The server dies while it gives WhatsApp the file of a message: the file and its message arrive once. And while it fetches a
//! person's file: that is there in the end, whole and once.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::ANA;

use super::{
    cases::{Case, Kill},
    server::Server,
    scenario::wait_for_deaths,
    world::World,
};

const PATIENCE: Duration = Duration::from_secs(30);
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";
/// Where it dies, and how often WhatsApp gets the file: a file that no message names does no harm.
const POINTS: [(&str, usize); 3] = [("upload.open", 1), ("upload.answered", 2), ("upload.committed", 1)];

#[test]
fn a_kill_during_an_upload_neither_loses_nor_doubles_the_file_s_message() {
    for (point, uploads) in POINTS {
        let case = Case { kill: Kill::At(vec![point]), window_ms: 1_500, ..Case::at(point) };
        let world = World::new();
        let mut server = Server::start(&world, &case);
        let access = world.set_up(&case);
        world.says(&access.code);
        wait(&mut server, "the welcome", || pictures(&world).len() + world.heard().len() == 1);
        let list = world.api(&access.key, Method::GET, "/whatsapp_conversations", None);
        let conversation = list["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/whatsapp_conversations/{conversation}/whatsapp_messages");
        world.post_picture(&access.key, &path, PNG);
        wait(&mut server, "the picture", || !pictures(&world).is_empty());
        assert_eq!(server.reached, [point]);
        wait(&mut server, "all webhooks", || world.webhooks().1 == 0);
        assert_eq!(pictures(&world).len(), 1, "{point}");
        let log = world.control(Method::GET, "/requests?path=/media", None);
        assert_eq!(log["requests"].as_array().map(Vec::len), Some(uploads), "{point}: {log}");
    }
    let known: Vec<&str> = runtime::failpoint::ALL.into_iter().filter(|point| point.starts_with("upload.")).collect();
    assert_eq!(known, POINTS.map(|(point, _)| point));
}

/// Where it dies, and how often WhatsApp is asked for the file.
const FETCHES: [(&str, usize); 3] = [("media.ask", 1), ("media.answered", 2), ("media.committed", 1)];

#[test]
fn a_kill_during_a_download_neither_loses_nor_doubles_a_person_s_file() {
    for (point, asked) in FETCHES {
        let case = Case { kill: Kill::At(vec![point]), ..Case::at(point) };
        let world = World::new();
        let mut server = Server::start(&world, &case);
        let access = world.set_up(&case);
        world.says(&access.code);
        let file = json!({"base64": "iVBORw0KGgogYSBwaWN0dXJl", "mime_type": "image/png"});
        let id = world.control(Method::POST, "/inbound/media", Some(file))["media_id"].clone();
        wait(&mut server, "the welcome", || world.heard().len() == 1);
        let image = json!({"from": ANA, "type": "image", "image": {"id": id}});
        world.control(Method::POST, "/inbound", Some(image));
        wait_for_deaths(&mut server);
        let list = world.api(&access.key, Method::GET, "/whatsapp_conversations", None);
        let conversation = list["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/whatsapp_conversations/{conversation}/whatsapp_messages");
        let link = || {
            let messages = world.api(&access.key, Method::GET, &path, None)["data"].clone();
            let shown = messages.as_array().unwrap().iter().find(|message| message["message_type"] == "image").cloned();
            shown.and_then(|message| Some(message["media_url"].as_str()?.to_owned()))
        };
        wait(&mut server, "the file", || link().is_some());
        assert_eq!(world.download(&link().unwrap()), PNG, "{point}");
        let log = world.control(Method::GET, &format!("/requests?path=/{}", id.as_str().unwrap()), None);
        assert_eq!(log["requests"].as_array().map(Vec::len), Some(asked), "{point}: {log}");
    }
    let known: Vec<&str> = runtime::failpoint::ALL.into_iter().filter(|point| point.starts_with("media.")).collect();
    assert_eq!(known, FETCHES.map(|(point, _)| point));
}

fn pictures(world: &World) -> Vec<Value> {
    let path = format!("/chats/{}/{}", emulator::PHONE_NUMBER_ID, ANA.trim_start_matches('+'));
    let chat = world.control(Method::GET, &path, None);
    chat["messages"].as_array().into_iter().flatten().filter(|message| message["type"] == "image").cloned().collect()
}

fn wait(server: &mut Server<'_>, what: &str, come: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        server.look_after();
        if come() {
            return;
        }
        assert!(Instant::now() < end, "{what} did not come within {PATIENCE:?}:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
