//! A webhook delivery of many items is stored in several transactions.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    cases::Case,
    server::{command, listening},
    world::{World, until},
};
use crate::program::Running;

const MESSAGES: usize = 250;

/// A delivery of messages to the sandbox number.
fn delivery() -> Vec<u8> {
    let message = |n: usize| {
        json!({"from": testkit::ANA.trim_start_matches('+'), "id": format!("wamid.MANY{n}"), "timestamp": "1764000000",
            "type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "x"}})
    };
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111",
        "phone_number_id": emulator::PHONE_NUMBER_ID}, "messages": (0..MESSAGES).map(message).collect::<Vec<_>>()});
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
    .into_bytes()
}

fn start(world: &World, environment: &[(&str, &str)]) -> Running {
    let mut command: Command = command(world, world.port);
    command.envs(environment.iter().copied());
    listening(&mut command)
}

/// Stored messages of the conversation that came with the delivery.
fn stored(world: &World, key: &str) -> usize {
    let conversations = world.api(key, Method::GET, "/whatsapp_conversations", None);
    let conversation = conversations["data"][0]["id"].as_str().unwrap();
    let mut ids = Vec::new();
    for page in 1..=5 {
        let list = world.api(
            key,
            Method::GET,
            &format!("/whatsapp_conversations/{conversation}/whatsapp_messages?per_page=100&page={page}"),
            None,
        );
        let list = list["data"].as_array().cloned().unwrap_or_default();
        let of_delivery = |message: &Value| Some(message["whatsapp_message_id"].as_str()?.to_owned());
        ids.extend(list.iter().filter_map(of_delivery).filter(|id| id.starts_with("wamid.MANY")));
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "a message was stored twice");
    all
}

#[test]
fn delivery_of_many_items_survives_a_kill_between_its_transactions() {
    let world = World::new();
    // The welcome is the first message; the kill is after the second transaction.
    let mut server = start(&world, &[("CHASQUI_FAILPOINT", "ingest.committed:102")]);
    let access = world.set_up(&Case::at(""));
    world.contact_sends(&access.code);
    until("the welcome", || world.received_texts().len() == 1);
    assert!(world.try_deliver(&delivery()).is_none(), "a delivery that is not complete must not be confirmed");
    until("the kill", || server.end().is_some());
    let _server = start(&world, &[]);
    assert_eq!(stored(&world, &access.key), 200);
    for _ in 0..2 {
        assert_eq!(world.try_deliver(&delivery()), Some(200));
        assert_eq!(stored(&world, &access.key), MESSAGES);
    }
}
