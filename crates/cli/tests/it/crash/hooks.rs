//! Crash while outgoing webhooks are delivered: every event arrives, repeated ones with the same id.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Service;

use super::{
    cases::{Case, Kill},
    scenario::{PATIENCE, wait, wait_for_kills},
    server::Server,
    world::World,
};

/// Failpoint, and requests that the receiver gets for the one event.
const POINTS: [(&str, usize); 2] = [("hook.ask", 1), ("hook.answered", 2)];

fn receiver(world: &World) -> Service {
    world.block_on(Service::start(|_| json!({"ok": true})))
}

fn subscribe(world: &World, key: &str, service: &Service) {
    let endpoint = json!({"url": service.url(), "secret_key": "s3cr3t-value", "events": ["whatsapp.message.received"]});
    world.api(key, Method::POST, "/webhook_endpoints", Some(json!({"webhook_endpoint": endpoint})));
}

/// A delivery of Meta with these messages, which start no turn.
fn messages(numbers: std::ops::Range<usize>) -> Vec<u8> {
    let message = |n: usize| {
        json!({"from": testkit::ANA.trim_start_matches('+'), "id": format!("wamid.HOOK{n}"), "timestamp": "1764000000",
            "type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "x"}})
    };
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111",
        "phone_number_id": emulator::PHONE_NUMBER_ID}, "messages": numbers.map(message).collect::<Vec<_>>()});
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
    .into_bytes()
}

/// The ids of each message's event, and the number of requests.
fn received(service: &Service) -> (BTreeMap<String, BTreeSet<String>>, usize) {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let requests = service.requests();
    for request in requests.iter().filter(|request| request.body["message"]["type"] == "reaction") {
        let key = request.headers["x-idempotency-key"].to_str().unwrap().to_owned();
        let message: &Value = &request.body["message"]["id"];
        ids.entry(message.as_str().unwrap().to_owned()).or_default().insert(key);
    }
    (ids, requests.len())
}

#[test]
fn kill_during_a_delivery_repeats_it_with_the_same_id() {
    for (point, requests) in POINTS {
        let case = Case { kill: Kill::At(vec![point]), ..Case::at(point) };
        let world = World::new();
        let mut server = Server::start(&world, &case);
        let access = world.set_up(&case);
        world.contact_sends(&access.code);
        wait(&mut server, "the welcome", PATIENCE, || world.received_texts().len() == 1);
        let service = receiver(&world);
        subscribe(&world, &access.key, &service);
        assert_eq!(world.try_deliver(&messages(0..1)), Some(200));
        wait_for_kills(&mut server);
        wait(&mut server, "the event", PATIENCE, || received(&service).1 == requests);
        assert_eq!(received(&service).0["wamid.HOOK0"].len(), 1, "{point}");
    }
    let known: Vec<&str> = runtime::failpoint::ALL.into_iter().filter(|point| point.starts_with("hook.")).collect();
    assert_eq!(known, POINTS.map(|(point, _)| point));
}

/// Events and kills; `CHASQUI_HOOK_EVENTS=10000` makes the long run of docs/status.md.
#[test]
fn no_event_is_lost_in_rounds_of_kills() {
    let events: usize = std::env::var("CHASQUI_HOOK_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let case = Case { kill: Kill::At(Vec::new()), ..Case::at("") };
    let world = World::new();
    let mut server = Server::start(&world, &case);
    let access = world.set_up(&case);
    world.contact_sends(&access.code);
    wait(&mut server, "the welcome", PATIENCE, || world.received_texts().len() == 1);
    let service = receiver(&world);
    subscribe(&world, &access.key, &service);
    let (step, rounds) = (50, 8);
    for (number, begin) in (0..events).step_by(step).enumerate() {
        let body = messages(begin..events.min(begin + step));
        // Meta repeats what was not answered with 200.
        wait(&mut server, "the delivery of Meta", PATIENCE, || world.try_deliver(&body) == Some(200));
        if number % (events / step / rounds).max(1) == 0 {
            server.kill();
        }
    }
    let patience = PATIENCE + Duration::from_millis(20 * events as u64);
    wait(&mut server, "all events", patience, || received(&service).0.len() == events);
    let (ids, requests) = received(&service);
    assert!(ids.values().all(|ids| ids.len() == 1), "each event has one id");
    let kills = server.restarts.len();
    super::print_line(&format!("{events} events, {kills} kills, {} repeated", requests - events));
    assert!(kills >= rounds, "{kills} kills");
}
