//! Crash while a message's file is uploaded to WhatsApp: the message arrives once. Crash while a
//! contact's file is downloaded: it is stored once and complete.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::ANA;

use super::{
    cases::{Case, Kill},
    scenario::{PATIENCE, wait, wait_for_kills},
    server::Server,
    world::World,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";
/// Failpoint, and expected number of uploads. An uploaded file without a message does no harm.
const POINTS: [(&str, usize); 3] = [("upload.open", 1), ("upload.answered", 2), ("upload.committed", 1)];

#[test]
fn kill_during_upload_delivers_the_message_once() {
    for (point, uploads) in POINTS {
        let case = Case { kill: Kill::At(vec![point]), window_ms: 1_500, ..Case::at(point) };
        let world = World::new();
        let mut server = Server::start(&world, &case);
        let access = world.set_up(&case);
        world.contact_sends(&access.code);
        wait(&mut server, "the welcome", PATIENCE, || pictures(&world).len() + world.received_texts().len() == 1);
        let list = world.api(&access.key, Method::GET, "/whatsapp_conversations", None);
        let conversation = list["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/whatsapp_conversations/{conversation}/whatsapp_messages");
        world.post_picture(&access.key, &path, PNG);
        wait(&mut server, "the picture", PATIENCE, || !pictures(&world).is_empty());
        assert_eq!(server.reached, [point]);
        wait(&mut server, "all webhooks", PATIENCE, || world.webhooks().1 == 0);
        assert_eq!(pictures(&world).len(), 1, "{point}");
        let log = world.control(Method::GET, "/requests?path=/media", None);
        assert_eq!(log["requests"].as_array().map(Vec::len), Some(uploads), "{point}: {log}");
    }
    let known: Vec<&str> = runtime::failpoint::ALL.into_iter().filter(|point| point.starts_with("upload.")).collect();
    assert_eq!(known, POINTS.map(|(point, _)| point));
}

/// Failpoint, and expected number of requests for the file.
const FETCHES: [(&str, usize); 3] = [("media.ask", 1), ("media.answered", 2), ("media.committed", 1)];

#[test]
fn kill_during_download_stores_the_file_once() {
    for (point, asked) in FETCHES {
        let case = Case { kill: Kill::At(vec![point]), ..Case::at(point) };
        let world = World::new();
        let mut server = Server::start(&world, &case);
        let access = world.set_up(&case);
        world.contact_sends(&access.code);
        let file = json!({"base64": "iVBORw0KGgogYSBwaWN0dXJl", "mime_type": "image/png"});
        let id = world.control(Method::POST, "/inbound/media", Some(file))["media_id"].clone();
        wait(&mut server, "the welcome", PATIENCE, || world.received_texts().len() == 1);
        let image = json!({"from": ANA, "type": "image", "image": {"id": id}});
        world.control(Method::POST, "/inbound", Some(image));
        wait_for_kills(&mut server);
        let list = world.api(&access.key, Method::GET, "/whatsapp_conversations", None);
        let conversation = list["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/whatsapp_conversations/{conversation}/whatsapp_messages");
        let link = || {
            let messages = world.api(&access.key, Method::GET, &path, None)["data"].clone();
            let shown = messages.as_array().unwrap().iter().find(|message| message["message_type"] == "image").cloned();
            shown.and_then(|message| Some(message["media_url"].as_str()?.to_owned()))
        };
        wait(&mut server, "the file", PATIENCE, || link().is_some());
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
